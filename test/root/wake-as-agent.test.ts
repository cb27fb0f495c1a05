import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { makeOffice, until } from '../wake/office.ts'

const skip = process.getuid?.() === 0 ? false : 'needs uid 0'

t.test('in system mode a run has the agent’s uid and groups, no more privileges, and a log that it can only read', { skip }, async (t) => {
  const agent = { uid: 410_777, gid: 410_778 }
  const office = makeOffice(t)
  const id = 'id -u; id -g; id -G; grep -E "^(NoNewPrivs|CapEff)" /proc/self/status | tr -s "\\t\\n" "  "'
  office.agent('legal', `${id}; sleep 600 & echo $! > child.txt; (echo x >> ../runs/"$PENNY_ID".log) 2>/dev/null && echo written; true`, { timeoutMs: 20_000 })
  office.agent('slow', 'sleep 600 & echo $! > child.txt; wait', { timeoutMs: 500, maxAttempts: 1 })
  for (const name of ['legal', 'slow']) {
    for (const folder of ['new', 'cur', 'done', 'home']) chownSync(`${office.root}/workspaces/${name}/${folder}`, agent.uid, agent.gid)
    chmodSync(`${office.root}/workspaces/${name}/runs`, 0o750)
    chownSync(`${office.root}/workspaces/${name}/runs`, 0, agent.gid)
  }
  Object.assign(office.given, { identity: () => ({ as: { ...agent, groups: [410_779] }, logOwner: { uid: 0, gid: agent.gid } }) })
  const task = office.deliver('legal')
  office.deliver('slow')
  await office.open()
  const reply = await until('the reply', () => [...office.letters.values()].find(({ from }) => from === 'legal'))
  t.equal(reply.body, '410777\n410778\n410778 410779\nCapEff: 0000000000000000 NoNewPrivs: 1 ')
  const { uid, gid, mode } = statSync(`${office.root}/workspaces/legal/runs/${task.id}.log`)
  t.same([uid, gid, mode & 0o777], [0, agent.gid, 0o640])
  await until('timed out', () => office.faults.length === 1)
  for (const name of ['legal', 'slow']) {
    const child = office.home(name, 'child.txt').trim()
    t.match(child, /^\d+$/)
    t.notOk(statusOf(child), 'no survivor')
  }
})

function statusOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.includes(') Z ') ? undefined : stat
  } catch {
    return undefined
  }
}
