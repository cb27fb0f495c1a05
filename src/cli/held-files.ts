/** What lies in spool/held/, with what is written beside it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { idTimeMs } from '../core/ids.ts'
import { shellWord } from '../core/text.ts'
import { explainedBy, layoutOf, parseHeldName, whyBeside } from '../mailbox/index.ts'
import { GONE, unless } from './exit.ts'

export type HeldFile = Readonly<{
  name: string
  path: string
  code: string
  at: string
  bytes: number
  original: string
  from: string
  why: readonly string[]
  fix: string
}>

/** The newest first. Throws EACCES where spool/held/ may not be read. */
export function heldFiles(root: string): HeldFile[] {
  const folder = layoutOf(root).held
  const names = (unless(GONE, () => readdirSync(folder)) ?? []).filter((name) => !name.startsWith('.') && explainedBy(name) === undefined)
  return names
    .flatMap((name): HeldFile[] => {
      const path = `${folder}/${name}`
      const stat = unless(GONE, () => statSync(path))
      const why = unless(GONE, () => readFileSync(whyBeside(path), 'utf8')) ?? ''
      const { code, id } = parseHeldName(name) ?? { code: '?' }
      const at = id ? new Date(idTimeMs(id)).toISOString() : (stat?.ctime.toISOString() ?? '')
      const told = (key: string): string => new RegExp(`^- ${key}: (.*)$`, 'm').exec(why)?.[1]?.replace(/^`|`$/g, '') ?? '?'
      const sentences = why
        .split('\n')
        .flatMap((line) => /^- [a-z-]+: .*$/.exec(line)?.[0].slice(2) ?? [])
        .filter((line) => !/^(file|from|when): /.test(line))
      const fix = /^ {4}(.*)$/m.exec(why)?.[1] ?? `penny release ${shellWord(name)}`
      return [{ name, path, code, at, bytes: stat?.size ?? 0, original: told('file'), from: told('from'), why: sentences, fix }]
    })
    .sort((a, b) => (a.at < b.at ? 1 : -1))
}
