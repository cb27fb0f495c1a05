import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { accounting, isTrue, organisation, run } from '../e2e/driver.ts'
import { alertsOf, lettersOf, message, pause, until } from '../e2e/files.ts'
import { type FileSystem, KINDS, makeImage, mountImage, must, unmountImage, whyNot, workplace } from './image.ts'

/** After a cut the machine was started again (another boot id), or only the disk was away and came back (the same). */
const CUTS = ['the disk alone', 'the machine'] as const
const AGENTS = ['a', 'b', 'c']

/** Enough of a long list to see what happened. */
function few(all: readonly string[]): string[] {
  return all.length > 12 ? [...all.slice(0, 12), `… ${all.length} in all`] : [...all]
}

function body(token: string): string {
  return `${token}\n${'some text of the message\n'.repeat(60)}no end`
}

/**
 * A cut: the daemon is stopped where it stands, the image file is copied (what is only in the page cache of the mounted file system is not in it),
 * the copy is mounted as after a power failure, a new daemon starts on it.
 */
for (const kind of Object.keys(KINDS) as FileSystem[]) {
  tap.test(
    `a power cut on ${kind}: no message is lost, damaged or there twice whose drop was removed or whose penny send had returned`,
    { skip: (await whyNot(kind)) ?? false },
    async (t) => {
      tap.setTimeout(240_000)
      const folder = await workplace(t)
      let checked = 0
      for (const [cut, what] of CUTS.entries()) {
        const image = await makeImage(folder, kind)
        const point = await mountImage(image, join(folder, 'before'))
        await t.test(`${what} lost power`, async (t) => {
          const org = await organisation(t, { agents: Object.fromEntries(AGENTS.map((name) => [name, ''])), base: point })
          await org.up()
          await must('sync', '-f', point)
          const dropped: string[] = []
          const sent: string[] = []
          const writing = { on: true }
          const sender = (async () => {
            for (let n = 0; writing.on; n++) {
              const token = `cut${cut}-send-${n}`
              const done = await org.penny(['send', AGENTS[n % 3] ?? '', '-s', token], { input: body(token), boundMs: 10_000 })
              if (done.status === 0) sent.push(token)
            }
          })()
          const endAt = performance.now() + 1200 + 700 * cut
          for (let n = 0; performance.now() < endAt; n++) {
            const token = `cut${cut}-drop-${n}`
            org.drop(`spool/${AGENTS[n % 3]}/${token}.md`, message({ subject: token }, body(token)))
            dropped.push(token)
            if (n % 8 === 0) await pause(5)
          }
          const child = org.pid()
          process.kill(child, 'SIGSTOP')
          const waiting = new Set(AGENTS.flatMap((name) => readdirSync(org.at('spool', name))))
          const acknowledged = [...dropped.filter((token) => !waiting.has(`${token}.md`)), ...sent]
          await must('cp', '--sparse=always', image, join(folder, 'cut.img'))
          writing.on = false
          await org.end('SIGKILL')
          await sender
          await unmountImage(image, point)
          // as every machine does when it starts: without a journal, mounting it unchecked would hand out blocks that are in use
          if (kind.startsWith('ext4')) await run(['e2fsck', '-f', '-y', join(folder, 'cut.img')])
          await mountImage(join(folder, 'cut.img'), join(folder, 'after'))
          const after = await organisation(t, { existing: join(folder, 'after'), ...(what === 'the machine' ? { bootId: randomUUID() } : {}) })
          await after.up()
          const letters = (): ReturnType<typeof lettersOf> =>
            AGENTS.flatMap((name) => lettersOf(after.root, name)).filter((one) => one.head.get('kind') !== 'bounce')
          const missing = (): string[] => {
            const there = new Set(letters().map((one) => one.head.get('subject')))
            return acknowledged.filter((token) => !there.has(token))
          }
          await until('everything acknowledged', () => missing().length === 0, 10_000).catch(() => undefined)
          t.same(few(missing()), [], `none of ${acknowledged.length} acknowledged messages is missing (${sent.length} by penny send)`)
          t.ok(acknowledged.length > 20, 'there was something to lose')
          const all = letters()
          t.equal(new Set(all.map((one) => one.head.get('subject'))).size, all.length, 'none is there twice')
          t.same(few(all.filter((one) => one.body.toString() !== body(one.head.get('subject') ?? '')).map((one) => one.file)), [], 'none is damaged')
          t.comment(
            `alerts after the start: ${
              alertsOf(after.root)
                .map((alert) => alert.file.replace(/\..*/, ''))
                .join(' ') || 'none'
            }`,
          )
          const line = await accounting(after)
          t.ok(isTrue(line), JSON.stringify(line))
          await after.end()
          await unmountImage(join(folder, 'cut.img'), join(folder, 'after'))
          checked += acknowledged.length
        })
      }
      t.comment(`${checked} acknowledged messages on ${kind}`)
    },
  )
}
