/** What doctor tries of agents in system mode: their ids are their own, and a program really starts with them. */
import { readFileSync, statSync } from 'node:fs'
import type { Agent, Config } from '../core/config.ts'
import { counted, shellWord } from '../core/text.ts'
import { behind } from '../jail/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { PROGRAM_AT } from '../system/host.ts'
import { faultOfInterpreter, faultOfProgram } from '../system/program.ts'
import { realSpawner } from '../system/spawner.ts'
import { type Finding, note, ok, reasonOf, skipped, wrong } from './check.ts'
import { UNSEEN, UP, unless } from './exit.ts'

/** As the folders say, which the daemon gave to the agent: its uid and gid, and the group of its readers. */
type Ids = Readonly<{ agent: Agent; uid: number; gid: number; readersGid: number }>

/** How long a program that does nothing may take. Milliseconds. */
const STARTS_WITHIN_MS = 5_000

export async function checkAgents(layout: Layout, config: Config, searchPath: string): Promise<Finding[]> {
  if (process.geteuid?.() !== 0) return [ok('other uids', "user mode: runs act with this user's uid")]
  const all = [...config.agents.values()].flatMap((agent) => idsOf(layout, agent) ?? [])
  const own = all.filter(({ agent }) => agent.user === undefined)
  const first = own.find(({ agent }) => agent.runner) ?? own[0] ?? all[0]
  if (!first) return [skipped('other uids', 'no agent has folders yet: the daemon makes them when it first starts', UP)]
  return [...judgeIds(layout, own, config.org.uids), await tryRun(layout, first, searchPath)]
}

/** Each runner's program can be found and started, as a run would: by its path, or in PATH. That one of policies/runners/ is there was seen with the policies. */
export function checkPrograms(layout: Layout, config: Config, searchPath: string): Finding[] {
  const agents = [...config.agents.values()].filter(({ runner }) => runner)
  const missing = agents.flatMap((agent): Finding[] => {
    const [word = ''] = agent.runner?.command ?? []
    // Runs start a copy, which may be executed whatever its mode here.
    const script = word.startsWith('./') ? `${layout.policies}/runners/${word.slice(2)}` : undefined
    const home = layout.home(agent.name)
    const shown = { mounts: agent.mounts, workspace: layout.workspace(agent.name), runners: `${layout.policies}/runners` }
    // Where our own lie is looked at with the jails.
    if (word.startsWith(`${PROGRAM_AT}/`)) return []
    const path = agent.jailed && word.startsWith('/') ? behind(shown, word) : word
    const fault = script === undefined ? faultOfProgram(path ?? word, searchPath, home) : faultOfInterpreter(word, script, searchPath, home)
    const why = fault ?? (path === undefined ? `${word} is not in its jail` : undefined)
    const fix = `\${EDITOR:-vi} ${script === undefined ? `${shellWord(`${layout.policies}/agents/${agent.name}.md`)}   # command: under runner:` : shellWord(script)}`
    return why === undefined ? [] : [wrong('runners', `the runner of ${agent.name} cannot be started: ${why}`, fix)]
  })
  return missing.length > 0 || agents.length === 0 ? missing : [ok('runners', `the programs of ${counted(agents.length, 'runner')} are there`)]
}

function idsOf(layout: Layout, agent: Agent): Ids | undefined {
  const [outbox, workspace] = [layout.outbox(agent.name), layout.workspace(agent.name)].map((path) => unless(UNSEEN, () => statSync(path)))
  return outbox && workspace && { agent, uid: outbox.uid, gid: outbox.gid, readersGid: workspace.gid }
}

/** One agent, one uid, out of the range that org.yaml sets aside, and nobody else's on this machine. */
function judgeIds(layout: Layout, own: readonly Ids[], { from, to }: Config['org']['uids']): Finding[] {
  const found: Finding[] = []
  const seen = new Map<string, string>()
  for (const { agent, uid, gid, readersGid } of own) {
    const ids = { uid, gid, 'group of readers': readersGid }
    for (const [kind, id] of Object.entries(ids)) {
      if (id < from || id > to)
        found.push(
          wrong(
            'agent ids',
            `the ${kind} of ${agent.name} is ${id}, outside uids: { from: ${from}, to: ${to} } of org.yaml`,
            'penny down && penny up --detach',
          ),
        )
      const key = `${kind === 'uid' ? 'uid' : 'group'} ${id}`
      const other = seen.get(key)
      if (other !== undefined && other !== `${agent.name} ${kind}`)
        found.push(wrong('agent ids', `${key} is that of ${other} and of ${agent.name} (${kind})`, `cat ${shellWord(layout.uids)}`))
      seen.set(key, `${agent.name} ${kind}`)
    }
  }
  for (const [database, kind] of [
    ['passwd', 'account'],
    ['group', 'group'],
  ] as const) {
    for (const [name, id] of entriesOf(database))
      if (id >= from && id <= to)
        found.push(
          note(
            'agent ids',
            `the ${kind} ${name} of this machine has the id ${id}, which is an agent's`,
            `\${EDITOR:-vi} ${shellWord(`${layout.policies}/org.yaml`)}   # another range in uids:`,
          ),
        )
  }
  return found.length > 0 ? found : [ok('agent ids', `${counted(own.length, 'agent')}, each with a uid and groups of its own between ${from} and ${to}`)]
}

function entriesOf(database: 'passwd' | 'group'): (readonly [name: string, id: number])[] {
  const text = unless(UNSEEN, () => readFileSync(`/etc/${database}`, 'utf8')) ?? ''
  return text.split('\n').flatMap((line) => {
    const [name = '', , id = ''] = line.split(':')
    return name === '' || id === '' ? [] : [[name, Number(id)] as const]
  })
}

/** Started as a run is: in the agent's home, with its uid and groups, by the same code. */
async function tryRun(layout: Layout, { agent, uid, gid, readersGid }: Ids, searchPath: string): Promise<Finding> {
  const home = layout.home(agent.name)
  let told = ''
  try {
    const { ended, kill } = await realSpawner.spawn({
      argv: ['sh', '-c', 'id -u && cd "$1" && test -w . && echo entered', 'sh', home],
      cwd: '/',
      env: { PATH: searchPath },
      as: { uid, gid, groups: [readersGid] },
      stdin: new Uint8Array(),
      output: (_stream, chunk) => {
        told += chunk.toString('utf8')
      },
    })
    const late = setTimeout(() => kill('SIGKILL'), STARTS_WITHIN_MS)
    const { code, signal } = await ended
    clearTimeout(late)
    const [is, entered] = told.trim().split('\n')
    if (is !== String(uid))
      return wrong(
        'other uids',
        `a program of ${agent.name} ended with ${signal ?? `status ${code}`}: ${told.trim()}`,
        `setpriv --reuid=${uid} --clear-groups id   # what starts the daemon must leave it CAP_SETUID and CAP_SETGID`,
      )
    return entered === 'entered'
      ? ok('other uids', `a program started as ${agent.name} (uid ${uid}) in its home`)
      : wrong(
          'other uids',
          `${agent.name} (uid ${uid}) cannot enter or write its home: ${told.trim().split('\n').slice(1).join(' ')}`,
          `namei -l ${shellWord(home)}`,
        )
  } catch (cause) {
    return wrong('other uids', `setpriv cannot be started: ${reasonOf(cause)}`, 'apt-get install util-linux')
  }
}
