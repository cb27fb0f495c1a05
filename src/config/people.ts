/** people/<name>.md and groups/<name>.yaml. */
import { account, choice, commands, fields, line, list, type Placed, placed } from './fields.ts'
import type { Located, Report } from './yaml.ts'

export type PersonFile = Readonly<{
  name: Placed<string> | undefined
  user: Placed<string> | undefined
  manager: Placed<string> | undefined
  notify: readonly (readonly string[])[]
}>

export function readPerson(node: Located, report: Report): PersonFile {
  const read = fields(node, report, { name: placed(line), user: placed(account), manager: placed(line), notify: commands }, { own: true })
  return { name: read.name, user: read.user, manager: read.manager, notify: read.notify ?? [] }
}

export type GroupFile = Readonly<{ name: Placed<string> | undefined; members: readonly Placed<string>[]; deliver: 'all' | 'one' }>

export function readGroup(node: Located, report: Report): GroupFile {
  // A group of nobody would swallow what is sent to it.
  const read = fields(node, report, { name: placed(line), members: list(placed(line), 1), deliver: choice('all', 'one') }, { needed: ['members'], own: true })
  return { name: read.name, members: read.members ?? [], deliver: read.deliver ?? 'all' }
}
