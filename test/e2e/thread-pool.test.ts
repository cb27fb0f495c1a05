import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { jsonLines, organisation, PENNY, run } from './driver.ts'
import { lettersOf, message, pause, until } from './files.ts'

/** Node's own pool has four; a disk that could sync sixteen files at once would wait for it. */
const POOL = 16

t.test('the command starts its daemon with a pool of sixteen threads, in the foreground and in the background', async (t) => {
  const org = await organisation(t)
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env
  const threads = (pid: number): number => readdirSync(`/proc/${pid}/task`).length
  const poolOf = (pid: number): string | undefined => /(?:^|\0)UV_THREADPOOL_SIZE=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1]
  /** The pool grows with the first call that needs it; what V8 and the daemon have besides is the same for every size. */
  const busy = async (pid: number, round: string): Promise<number> => {
    for (let n = 0; n < 20; n++) org.drop(`spool/legal/${round}-${n}.md`, message({ subject: `${round} ${n}` }))
    await until(`the messages of ${round}`, () => lettersOf(org.root, 'legal').filter(({ head }) => head.get('subject')?.startsWith(`${round} `)).length === 20)
    return threads(pid)
  }
  const inForeground = async (round: string, argv: readonly [string, ...string[]], more: Readonly<Record<string, string>>): Promise<[pool: string, number]> => {
    const [program, ...args] = argv
    const daemon = spawn(program, [...args, 'up', '--root', org.root], { env: { ...env, ...more }, stdio: 'ignore' })
    t.teardown(() => daemon.kill('SIGKILL'))
    const gone = new Promise((resolve) => daemon.once('exit', resolve))
    while ((await org.penny(['status'])).status !== 0) await pause(50)
    const pid = daemon.pid ?? 0
    const found = [poolOf(pid), await busy(pid, round)] as [string, number]
    daemon.kill('SIGTERM')
    await gone
    return found
  }
  const [pool, usual] = await inForeground('foreground', [PENNY], {})
  t.equal(pool, String(POOL))
  const [, withFour] = await inForeground('four', [process.execPath, PENNY], { UV_THREADPOOL_SIZE: '4' })
  t.equal(usual - withFour, POOL - 4, `${usual} threads, and ${withFour} where there are four in the pool`)

  const detached = await run(['env', '-u', 'UV_THREADPOOL_SIZE', process.execPath, PENNY, 'up', '--detach', '--json', '--root', org.root])
  const pid = Number(jsonLines(detached.out)[0]?.['pid'])
  t.equal((await busy(pid, 'background')) - withFour, POOL - 4, 'in the background, too')
  t.equal((await org.penny(['down'])).status, 0)
})
