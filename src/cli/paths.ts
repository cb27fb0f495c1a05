import { fileURLToPath } from 'node:url'
import { layoutOf } from '../mailbox/index.ts'
import { type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { paint, say, sayJson } from './print.ts'
import { rootOf, seatOf } from './root.ts'

export const command: Command = {
  summary: 'where everything lies',
  usage: ['paths'],
  examples: [
    ['paths', ''],
    ['paths --json', 'one object'],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const layout = layoutOf(rootOf(call))
    const seat = seatOf(call)
    const paths: Readonly<Record<string, string>> = {
      root: layout.root,
      policies: layout.policies,
      spool: layout.spool,
      alerts: layout.alerts,
      held: layout.held,
      workspaces: layout.workspaces,
      ...(seat ? { mailbox: seat.workspace } : {}),
      journal: layout.private('journal'),
      socket: layout.daemonSocket,
      log: `${layout.private('run')}/daemon.log`,
      program: fileURLToPath(new URL('./penny.js', import.meta.url)),
    }
    if (call.json) sayJson(call, paths)
    else for (const [name, path] of Object.entries(paths)) say(call, `${paint(call, 'dim', name.padEnd(10))} ${path}`)
    return EXIT.ok
  },
}
