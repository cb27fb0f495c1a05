/** What Markdown files name: a link's file must be there, and the heading in it; so must a source file that a `code` span names. */
import { dirname, normalize } from 'node:path'
import type { Source } from './tree.ts'

/** `find` gives the text of a file of the project, '' for a folder, undefined where there is nothing. */
export function deadLinks({ path, text }: Source, find: (path: string) => string | undefined): string[] {
  return linksOf(text).flatMap((link) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : normalize(`${dirname(path)}/${decodeURI(file)}`).replace(/\/$/, '')
    const found = file === '' ? text : find(target)
    if (found === undefined) return [`${path}: ${link} leads nowhere`]
    if (anchor && target.endsWith('.md') && !headingsOf(found).has(anchor)) return [`${path}: ${link}: there is no such heading`]
    return []
  })
}

/** `paths` are all files of the project. A room is named without `src/`, a file that the text has led up to by its last part alone. */
export function missingFiles({ path, text }: Source, paths: readonly string[]): string[] {
  const named = [...text.matchAll(/`([\w./-]+\.(?:ts|mjs|cjs))(?:: \w+)?`/g)].map(([, name = '']) => name)
  const isThere = (name: string): boolean =>
    paths.includes(name) || paths.includes(`src/${name}`) || (!name.includes('/') && paths.some((one) => one.endsWith(`/${name}`)))
  return named.filter((name) => !isThere(name)).map((name) => `${path}: there is no ${name}`)
}

function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm)]
    .map(([, inline, reference]) => inline ?? reference ?? '')
    .filter((link) => !/^([a-z][a-z+.-]*:|\/\/)/i.test(link))
}

/** The anchors that GitHub makes of headings. */
function headingsOf(text: string): Set<string> {
  const seen = new Map<string, number>()
  const anchors = new Set<string>()
  for (const [, title = ''] of text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    anchors.add(times === 0 ? slug : `${slug}-${times}`)
  }
  return anchors
}

function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')
}
