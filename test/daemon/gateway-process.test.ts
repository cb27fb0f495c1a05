/** The gateway's process as its daemon keeps it, with one that is only made up. */
import t from 'tap'
import { createGatewayProcess, type GatewayProcess } from '../../src/daemon/gateway-process.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'

type Made = { said: string[]; hear: (line: string) => void; isKilled: boolean; isEnded: boolean }
type Ground = { clock: HandClock; gateway: GatewayProcess; made: Made[]; alerts: string[]; sentences: string[] }

function ground({ endsAfterMs = 0 } = {}): Ground {
  const clock = makeHandClock(0)
  const made: Made[] = []
  const alerts: string[] = []
  const sentences: string[] = []
  const gateway = createGatewayProcess({
    clock,
    log: () => undefined,
    raise: ({ code, sentence }) => {
      alerts.push(`raise ${code}`)
      sentences.push(sentence)
    },
    clear: (code) => void alerts.push(`clear ${code}`),
    begun: () => undefined,
    ended: () => undefined,
    heard: () => undefined,
    launch: async (hear) => {
      let end = (_how: { code: number | null; signal: string | null }): void => undefined
      const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        end = (how) => {
          mine.isEnded = true
          resolve(how)
        }
      })
      const mine: Made = { said: [], hear, isKilled: false, isEnded: false }
      made.push(mine)
      const kill = (): void => {
        mine.isKilled = true
        end({ code: null, signal: 'SIGKILL' })
      }
      return {
        pid: made.length,
        say: (line) => void mine.said.push(line),
        ended,
        close: endsAfterMs > 0 ? () => void clock.after(endsAfterMs, () => end({ code: 0, signal: null })) : kill,
        kill,
      }
    },
  })
  return { clock, gateway, made, alerts, sentences }
}

const ready = ({ hear }: Made): void => hear('{"tell":"ready"}')

/** With one that is there, and said that it is ready. */
async function begun() {
  const house = ground()
  house.gateway.start()
  await house.clock.turn(1)
  const [first] = house.made as [Made]
  ready(first)
  return { ...house, first }
}

t.test('one that hangs is killed after some ten seconds, and another takes its place', async (t) => {
  const { clock, gateway, made } = await begun()
  await clock.turn(9_000)
  t.notOk(made[0]?.isKilled, 'it may be busy for a while')
  t.match(made[0]?.said.join(), /"what":"alive"/)
  await clock.turn(4_000)
  t.ok(made[0]?.isKilled)
  t.equal(made.length, 2, 'the next one is there')
  t.match(gateway.state(), { state: 'starting', pid: 2 })
})

t.test('any word is a sign of life', async (t) => {
  const { clock, first } = await begun()
  clock.every(9_000, () => first.hear('{"tell":"room","rooms":[]}'))
  await clock.turn(60_000)
  t.notOk(first.isKilled)
})

t.test('a daemon that was itself stopped kills nobody for that', async (t) => {
  const { clock, made } = await begun()
  await clock.turn(3_000)
  await clock.leap(600_000)
  t.notOk(made[0]?.isKilled)
})

t.test('one that begins may read its ledger for a minute; hanging again and again is told, with why', async (t) => {
  const { clock, gateway, made, alerts, sentences } = ground()
  gateway.start()
  await clock.turn(50_000)
  t.notOk(made[0]?.isKilled)
  await clock.turn(15_000)
  t.ok(made[0]?.isKilled)
  t.equal(gateway.state().pid, 2)
  await clock.turn(1_000)
  for (let n = 1; n <= 2; n++) {
    ready(made[n] as Made)
    await clock.turn(14_000)
  }
  t.equal(alerts.at(-1), 'raise gateway-down')
  t.match(sentences.at(-1), /said nothing for 10 s, and was killed, 3 times in a row/)
  ready(made[3] as Made)
  t.equal(alerts.at(-1), 'clear gateway-down')
  await gateway.stop()
  t.match(gateway.state(), { state: 'none' })
})

t.test('one that is wanted again while it still ends is followed by one other, and so is one that was only being started', async (t) => {
  const { clock, gateway, made } = ground({ endsAfterMs: 300 })
  t.equal(gateway.start(), true)
  t.equal(gateway.start(), false)
  await clock.turn(1)
  ready(made[0] as Made)
  const stopped = gateway.stop()
  await clock.turn(100)
  t.equal(gateway.start(), true, 'it does not run any more')
  await clock.turn(250)
  await stopped
  await clock.turn(2_000)
  t.equal(made.length, 2)
  ready(made[1] as Made)
  t.match(gateway.state(), { state: 'ready', pid: 2 })
  void gateway.stop()
  await clock.turn(1_000)
  t.match(gateway.state(), { state: 'none' })

  const hasty = ground({ endsAfterMs: 300 })
  hasty.gateway.start()
  void hasty.gateway.stop()
  hasty.gateway.start()
  await hasty.clock.turn(2_000)
  t.equal(hasty.made.filter(({ isEnded }) => !isEnded).length, 1)
  ready(hasty.made.at(-1) as Made)
  t.equal(hasty.gateway.state().state, 'ready')
})
