/** Crowds at the doors, and of one agent: who has a right to be there is not kept out. */
import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import t from 'tap'
import { call, keyHash, started } from './started.ts'

const KEYS = { legal: 'pk-legal' }
const withKeys = [{ agent: 'legal', keys: [keyHash(KEYS.legal)] }]

t.test('more connections than there may be, of whoever has no key, keep nobody out who has one', async (t) => {
  const house = await started(t, { callers: withKeys })
  const open = (at: NetConnectOpts): Socket => {
    const socket = connect(at)
      .on('error', () => undefined)
      .resume()
    t.teardown(() => socket.destroy())
    return socket
  }
  const first = open({ port: house.port, host: '127.0.0.1' })
  let isOver = false
  const over = once(first, 'close').then(() => {
    isOver = true
  })
  for (let n = 0; n < 2_100 && !isOver; n += 50) {
    const come = Array.from({ length: 50 }, () => open({ port: house.port, host: '127.0.0.1' }))
    await Promise.all(come.map((one) => Promise.race([once(one, 'connect'), once(one, 'close')])))
    // One look at what came.
    await house.ask({ what: 'alive' })
  }
  t.ok(isOver, 'the first one made way')
  await over
  t.equal((await call({ port: house.port, agent: 'legal', key: KEYS.legal })).status, 200)
  const [atPort, atSocket] = [open({ port: house.port, host: '127.0.0.1' }), open({ path: house.socketOf('legal') })]
  await once(atPort, 'close')
  t.notOk(atSocket.destroyed, 'it has less time to say whose it is than an agent at its own door')
})
