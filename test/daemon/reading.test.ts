import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/core/config.ts'
import { settledRows } from '../../src/daemon/reading.ts'
import { layoutOf } from '../../src/mailbox/index.ts'
import { realSystem } from '../../src/system/index.ts'

t.test('settled mail is told as of whom it is, whatever lies in the place of done/ or of a month', async (t) => {
  const layout = layoutOf(t.testdir())
  mkdirSync(layout.staging, { recursive: true })
  const { disk } = await realSystem(layout.staging, 'error', () => undefined)
  const limits = { frontMatterBytes: 65_536 }
  const config = {
    agents: new Map([
      ['eve', {}],
      ['pmo', {}],
    ]),
    people: new Map(),
    org: { limits },
  } as unknown as Config
  const id = (n: number): string => `01900000-0000-7000-8000-00000000000${n}`
  const put = (folder: string, n: number): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `3-normal.${id(n)}.hello.md`), `---\nid: ${id(n)}\nfrom: pmo\nto: pmo\nsubject: number ${n}\nstatus: done\n---\nx\n`)
  }
  const told = (): string[] =>
    [...settledRows({ disk, layout, config: () => config })].flatMap((row) => (row ? [`${row.holder} ${row.subject} ${row.path}`] : []))
  const done = (whose: string): string => `${layout.root}/workspaces/${whose}/done`
  put(done('pmo'), 1)
  put(join(done('pmo'), '2026-01'), 2)
  mkdirSync(join(done('eve'), '2026-02'), { recursive: true })
  symlinkSync(join(done('pmo'), '2026-01'), join(done('eve'), '2026-01'))
  put(join(done('eve'), '2026-02'), 3)
  const ofPmo = [`pmo number 1 ${done('pmo')}/3-normal.${id(1)}.hello.md`, `pmo number 2 ${done('pmo')}/2026-01/3-normal.${id(2)}.hello.md`]
  t.same(told().sort(), [`eve number 3 ${done('eve')}/2026-02/3-normal.${id(3)}.hello.md`, ...ofPmo])
  rmSync(done('eve'), { recursive: true })
  symlinkSync(done('pmo'), done('eve'))
  t.same(told().sort(), ofPmo)
})
