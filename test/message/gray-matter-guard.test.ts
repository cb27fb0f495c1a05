import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import matter from 'gray-matter'
import t from 'tap'
import { readFrontMatter } from '../../src/message/frontmatter.ts'

t.test('one module imports gray-matter, and it never writes with it', async (t) => {
  const src = resolve('src')
  const importers = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => /from 'gray-matter'|import\('gray-matter'\)|require\('gray-matter'\)/.test(readFileSync(join(src, name), 'utf8')))
  t.strictSame(importers, ['message/frontmatter.ts'])
  t.notMatch(readFileSync(join(src, 'message/frontmatter.ts'), 'utf8'), /matter\.(stringify|read|test|cache)/)
})

t.test('it caches nothing and shares nothing', async (t) => {
  readFrontMatter('to: legal')
  readFrontMatter('to: b: c')
  t.strictSame(Object.keys((matter as unknown as { cache: object }).cache), [])
})

t.test('a line that reads like a border does not cut the text short, whoever calls it', async (t) => {
  const reading = readFrontMatter('to: legal\n---js\nprocess.exit(1)')
  t.equal(reading.ok, false)
})
