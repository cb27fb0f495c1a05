import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import t from 'tap'
import { organisation, run } from './driver.ts'
import { alertOf, alertsOf, lettersOf, message, pause, until } from './files.ts'

t.test('links, pipes and sockets where a message belongs are neither followed nor opened, and alerted', async (t) => {
  const org = await organisation(t)
  await org.up()
  const secret = `${org.base}/secret.md`
  writeFileSync(secret, message({ to: 'legal', subject: 'secret' }))
  const plant: Readonly<Record<string, (path: string) => unknown>> = {
    'to-secret.md': (path) => symlinkSync(secret, path),
    'dangling.md': (path) => symlinkSync('/nonexistent/file', path),
    'to-folder.md': (path) => symlinkSync('/etc', path),
    'loop.md': (path) => symlinkSync(path, path),
    'pipe.md': (path) => run(['mkfifo', path]),
    'hard.md': (path) => linkSync(secret, path),
    'socket.md': async (path) => {
      const server = createServer().listen(path)
      t.teardown(() => server.close())
      await pause(20)
    },
  }
  for (const [name, put] of Object.entries(plant)) {
    await put(org.at('spool/legal', name))
    const planted = performance.now()
    await until(`an alert for ${name}`, () => alertOf(org.root, 'unsafe-file', name))
    // 2 s + 1 s for a loaded machine
    t.ok(performance.now() - planted < 3000, `${name}: alerted within 2 s`)
  }
  const good = org.drop('spool/legal/good.md', message({ subject: 'good' }))
  await until('a good message beside them', () => lettersOf(org.root, 'legal').find((letter) => letter.head.get('subject') === 'good'))
  t.ok(performance.now() - good.at < 3000, 'a good message is not delayed')
  t.equal(lettersOf(org.root, 'legal').length, 1, 'nothing else was delivered')
  t.equal(readFileSync(secret, 'utf8'), message({ to: 'legal', subject: 'secret' }), 'what they led to is as it was')
  t.ok(org.running())
})

t.test('a folder that is named like a message is pointed out too, in the spool, in a box and in an outbox', async (t) => {
  const org = await organisation(t)
  await org.up()
  mkdirSync(org.at('spool/legal/directory.md'))
  mkdirSync(org.at('spool/drawer.md'))
  await org.as('pmo', 'mkdir outbox/shelf.md')
  const planted = performance.now()
  for (const name of ['directory.md', 'shelf.md', 'drawer.md'])
    await until(`an alert naming ${name}`, () => alertsOf(org.root).find((alert) => alert.text.includes(name)))
  // 2 s (page 5 names a folder among what is planted) + 1 s for a loaded machine
  t.ok(performance.now() - planted < 3000, `within 2 s, not after ${Math.round(performance.now() - planted)} ms`)
  const inside = org.drop('spool/drawer.md/letter.md', message({ to: 'legal', subject: 'inside' }))
  await until('what lies in a box of nobody is held', () => !existsSync(inside.path) && alertOf(org.root, 'unknown-recipient', 'letter.md'))
  rmSync(org.at('spool/drawer.md'), { recursive: true })
  await until('once it is gone, it is told no longer', () => !alertsOf(org.root).some(({ code, text }) => code === 'unsafe-file' && text.includes('drawer.md')))
})

t.test(
  'what is held as unsafe takes its alert along when it is removed, in the very moment it was held, too, and when it is released as something else',
  async (t) => {
    const org = await organisation(t)
    await org.up()
    const names = (): string[] => readdirSync(org.at('spool/held'))
    // Whole, before anybody can have looked at the folder.
    for (let round = 0; round < 5; round++) {
      symlinkSync('/etc/passwd', org.at(`spool/legal/${round}.md`))
      await until(`alert ${round}`, () => alertOf(org.root, 'unsafe-file', `${round}.md`), 10_000)
      for (const name of names()) rmSync(org.at('spool/held', name), { force: true })
    }
    await until('all their alerts are closed', () => alertsOf(org.root).length === 0, 10_000)

    symlinkSync('/etc/passwd', org.at('spool/legal/late.md'))
    await until('told', () => alertOf(org.root, 'unsafe-file', 'late.md'))
    const held = org.at('spool/held', names().find((name) => name.endsWith('.late')) ?? '')
    rmSync(held)
    writeFileSync(held, message({ subject: 'mended' }))
    t.equal((await org.penny(['release', 'late'])).status, 0)
    await until('it is delivered', () => lettersOf(org.root, 'legal').find((letter) => letter.head.get('subject') === 'mended'))
    await until('and its alert is closed', () => alertsOf(org.root).length === 0)
    t.same(names(), [])
  },
)
