import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { uidOfPeer } from '../../src/system/peers.ts'

t.test('who is at the other end of a connection is looked up once: it is known still when that end has gone', async (t) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const open = async (): Promise<readonly [Socket, Socket]> => {
    const mine = connect(address.port, '127.0.0.1')
    const [theirs] = (await once(server, 'connection')) as [Socket]
    return [mine, theirs]
  }
  const [known, unknown] = [await open(), await open()]
  t.equal(uidOfPeer(known[1]), process.getuid?.())
  for (const [mine, theirs] of [known, unknown]) {
    theirs.resume()
    mine.destroy()
    await once(theirs, 'end')
  }
  t.equal(uidOfPeer(known[1]), process.getuid?.())
  t.equal(uidOfPeer(unknown[1]), undefined, 'the machine knows no owner of it any more')
  for (const [, theirs] of [known, unknown]) theirs.destroy()
  server.close()
})
