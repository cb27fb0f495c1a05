import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { pause, until } from '../e2e/files.ts'
import { office } from './office.ts'

for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']) {
  t.test(`a mirror that the disk refuses with ${code} is written when it can be, and until then it is not up to date`, async (t) => {
    let isBroken = false
    const { deliver, ask, room, root } = await office(t, (disk) => ({
      ...disk,
      create: (path, ...rest) => {
        if (isBroken && String(path).includes('/mirror.')) throw Object.assign(new Error(code), { code })
        return disk.create(path, ...rest)
      },
    }))
    const sent = (): string[] => readdirSync(`${root}/workspaces/cfo/sent`).map((name) => readFileSync(`${root}/workspaces/cfo/sent/${name}`, 'utf8'))
    const mail = deliver()
    t.match(await ask(mail, 'in_progress', 'holder'), { outcome: 'changed' })
    await until('the mirror', () => /^status: in_progress$/m.test(sent()[0] ?? ''))
    isBroken = true
    t.match(await ask(mail, 'done', 'holder'), { outcome: 'changed' })
    await pause(700)
    t.notOk(room.mirror.isIdle(), 'the mark of what is shown must not pass it')
    t.match(sent(), [/^status: in_progress$/m])
    isBroken = false
    await until('the new status', () => /^status: done$/m.test(sent()[0] ?? ''))
    await until('nothing is left to do', () => room.mirror.isIdle())
  })
}
