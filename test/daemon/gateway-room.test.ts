/** How many runs may begin, by what the gateway tells of its pools. */
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createGatewayRoom } from '../../src/daemon/gateway-room.ts'
import { configOf } from '../config/organisation.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'

const NORMAL = 3
const [ceo, cfo, legal] = ['ceo', 'cfo', 'legal'] as Name[] as [Name, Name, Name]
const opus = { provider: 'main', pool: 'opus' }
const haiku = { provider: 'main', pool: 'haiku' }

function ground(): { clock: HandClock; room: ReturnType<typeof createGatewayRoom>; may: () => Name[]; start: (agent: Name) => void } {
  const config = configOf({ 'providers/main.yaml': 'api: anthropic-messages\nbase_url: https://api.anthropic.com\nkey_file: /etc/key\n' })
  const clock = makeHandClock(0)
  const nothing = (): void => undefined
  const room = createGatewayRoom({ clock, config: () => config, raise: nothing, clear: nothing, kick: nothing, tell: nothing, isOpen: () => true })
  let runs = 0
  return {
    clock,
    room,
    may: () => [ceo, cfo, legal].filter((agent) => room.runs.mayStart(agent, NORMAL)),
    start: (agent) => room.runs.runStarted({ agent, run: `r${++runs}`, message: 'm', rank: NORMAL }),
  }
}

t.test('a full pool holds those who used it last, and nobody else while another has room', async (t) => {
  const { room, may } = ground()
  room.setRooms([
    { ...opus, room: 0, waiting: 4 },
    { ...haiku, room: 3, waiting: 0 },
  ])
  t.same(may(), [ceo, cfo, legal], 'nobody knows where they will ask')
  room.usedPool(ceo, opus)
  room.usedPool(cfo, haiku)
  t.same(may(), [cfo, legal])
  t.ok(room.runs.mayStart(ceo, 1), 'urgent ones wait for no room')
  room.usedPool(ceo, haiku)
  t.same(may(), [ceo, cfo, legal], 'what it used last counts')
  room.setRooms([
    { ...opus, room: 0, waiting: 4 },
    { ...haiku, room: 0, waiting: 1 },
  ])
  t.same(may(), [], 'all of them full')
})

t.test('starts take room in the pool where their agent is expected', async (t) => {
  const { clock, room, may, start } = ground()
  room.usedPool(ceo, opus)
  room.usedPool(cfo, haiku)
  room.setRooms([
    { ...opus, room: 1, waiting: 0 },
    { ...haiku, room: 1, waiting: 0 },
  ])
  start(ceo)
  t.same(may(), [cfo, legal], 'one of opus is on its way')
  start(cfo)
  t.same(may(), [])
  await clock.turn(2_001)
  t.same(may(), [ceo, cfo, legal], 'by now the gateway tells itself what is left')
  start(legal)
  t.same(may(), [], 'one whose pool is not known may come to any')
})

t.test('what an agent used long ago, or a pool that is no more, holds nobody', async (t) => {
  const { clock, room, may } = ground()
  room.usedPool(ceo, opus)
  room.usedPool(cfo, { provider: 'gone', pool: 'opus' })
  room.setRooms([
    { ...opus, room: 0, waiting: 4 },
    { ...haiku, room: 3, waiting: 0 },
  ])
  t.same(may(), [cfo, legal])
  await clock.turn(10 * 60_000)
  t.same(may(), [ceo, cfo, legal])
})

t.test('room without a bound is null in what is told', async (t) => {
  const { room, may } = ground()
  room.usedPool(ceo, opus)
  room.setRooms(JSON.parse('[{"provider":"main","pool":"opus","room":null,"waiting":2}]'))
  t.same(may(), [ceo, cfo, legal])
})
