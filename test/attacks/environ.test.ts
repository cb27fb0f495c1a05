import { existsSync, readFileSync } from 'node:fs'
import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, until } from '../e2e/files.ts'
import { asAgents, goodMail, goodMailMeanwhile, hostileProgram, peakMemory } from './hostile.ts'

/** prctl(PR_SET_MM, PR_SET_MM_MAP): a process says itself where its environment lies, and how long it is. */
const BOMB = `
process.on('SIGTERM', () => undefined)
libc.func('int setsid()')()
const mmap = libc.func('uint64_t mmap(uint64_t at, uint64_t bytes, int prot, int flags, int fd, int64_t from)')
const prctl = libc.func('int prctl(int option, uint64_t a, uint8_t *b, uint64_t c, uint64_t d)')
const BYTES = 6n * 1024n ** 3n
const start = BigInt(mmap(0, BYTES, 3, 0x4022, -1, 0))
const stat = fs.readFileSync('/proc/self/stat', 'latin1').replace(/^.*\\) /s, '').split(' ')
const field = (n) => BigInt(stat[n - 3])
const map = Buffer.alloc(104)
;[26, 27, 45, 46, 47, 47, 28, 48, 49].forEach((n, i) => map.writeBigUInt64LE(field(n), i * 8))
map.writeBigUInt64LE(start, 72)
map.writeBigUInt64LE(start + BYTES, 80)
map.writeUInt32LE(0xffffffff, 100)
const done = prctl(35, 14, map, 104, 0)
fs.writeFileSync('bomb', done + ' ' + process.pid)
setInterval(() => undefined, 1000)
`

tap.test('a run that claims an environment of 6 GiB neither fills the memory of the daemon nor stops the mail or the next start', asAgents, async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: {
      legal: '',
      pmo: '',
      eve: 'jail: none\nrunner: { command: [./bomb.sh], timeout: 4s, max_attempts: 1 }\n',
      worker: 'runner: { command: [./work.sh] }\n',
    },
    policies: { 'runners/bomb.sh': '#!/bin/sh\nsh bomb.sh & sleep 60\n', 'runners/work.sh': '#!/bin/sh\nsleep 60 & echo done\n' },
  })
  await org.up()
  const program = hostileProgram(org, 'bomb', BOMB)
  await org.as('eve', `printf '%s\\n' "exec ${program}" > home/bomb.sh`)
  const bombed = async (subject: string): Promise<string> => {
    await org.as('eve', 'rm -f home/bomb')
    org.drop(`spool/eve/${subject}.md`, message({ subject }))
    const [how, pid] = await until('the bomb is laid', () => /^(\S+) (\d+)$/.exec(readOrNothing(org.at('workspaces/eve/home/bomb')))?.slice(1))
    t.teardown(() => process.kill(Number(pid), 'SIGKILL'))
    t.equal(how, '0', 'the kernel allowed it')
    return subject
  }
  const subject = await bombed('first')
  const failed = (of: string): boolean => lettersOf(org.root, 'eve').some((one) => one.head.get('subject') === of && one.head.get('status') === 'failed')
  await goodMailMeanwhile(t, org, () => failed(subject), 'while its run times out')
  await until('it is told as any failed run is', () => alertOf(org.root, 'run-failed'))
  t.ok(peakMemory(org) < 400 * 1024 ** 2, `the daemon needed ${Math.round(peakMemory(org) / 1024 ** 2)} MB`)

  await bombed('second')
  await org.end('SIGKILL')
  await org.up()
  org.drop('spool/worker/a.md', message({ subject: 'work' }))
  await until('runs begin', () => lettersOf(org.root, 'worker').some((one) => one.head.get('status') === 'done'))
  await until('the run of before is concluded', () => failed('second'))
  t.ok(peakMemory(org) < 400 * 1024 ** 2)
  t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
  t.ok(org.running())
})

function readOrNothing(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
