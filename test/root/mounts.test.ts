import { mkdirSync } from 'node:fs'
import tap, { type Test } from 'tap'
import { type Organisation, organisation, run } from '../e2e/driver.ts'
import { must, whyNot } from './image.ts'

const why = await whyNot()
const only = { skip: why ?? false }

/** An organisation in which `folder` is another mount; taken away again after the test. */
async function mounted(t: Test, folder: string, mount: (org: Organisation) => string[]): Promise<Organisation> {
  const org = await organisation(t)
  mkdirSync(org.at(folder), { recursive: true })
  await must('mount', ...mount(org), org.at(folder))
  t.teardown(() => run(['umount', '-l', org.at(folder)]))
  return org
}

const TMPFS = (): string[] => ['-t', 'tmpfs', '-o', 'size=16m,mode=755', 'none']
/** The same disk at two places: one device number, and yet no rename leads from one to the other. */
const AGAIN = (org: Organisation): string[] => {
  mkdirSync(org.at('elsewhere'))
  return ['--bind', org.at('elsewhere')]
}

for (const [what, mount] of [
  ['another file system', TMPFS],
  ['the same file system mounted again', AGAIN],
] as const) {
  for (const folder of ['spool', 'workspaces', '.penny']) {
    tap.test(`${folder}/ on ${what}: refused with 78, also where somebody overrules`, only, async (t) => {
      const org = await mounted(t, folder, mount)
      for (const env of [{}, { PENNY_ANY_FILESYSTEM: '1' }]) {
        const { status, err } = await org.penny(['up'], { env, boundMs: 20_000 })
        t.equal(status, 78, err)
        t.match(err, /spool\/, workspaces\/ and \.penny\/ must be on one file system and one mount[^\n]*\nfix: df -T /)
      }
    })
  }
}
