import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import tap, { type Test } from 'tap'
import { filesIn, openHouse, report, until } from './house.ts'
import { halfVisible, SCENES } from './scenes.ts'

type Death = Readonly<{ n: number; root: string; how: 'dead' | 'through' | 'stuck'; asked?: string; logged: string[] }>

tap.setTimeout(240_000)

const AT_ONCE = 6

/** Deaths as they come, from a process of its own. */
async function* deaths(scene: string): AsyncGenerator<Death> {
  const victim = spawn(process.execPath, [...process.execArgv, (process.argv[1] ?? '').replace('seam.test', 'victim'), scene], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => victim.on('close', resolve))
  for await (const line of createInterface({ input: victim.stdout })) yield JSON.parse(line) as Death
  const code = await ended
  if (code !== 0) throw new Error(`the victim of ${scene} ended with ${code}`)
}

/** Another daemon takes over; what is wrong then. */
async function takeOver(scene: string, { root, how, logged }: Death): Promise<string[]> {
  if (how === 'stuck') return [`it did not get through, and did not die: ${logged.join('; ')}`]
  const faults = halfVisible(root)
  const house = await openHouse(root)
  try {
    await house.daemon.ready
    const check = SCENES[scene]
    if (!check) throw new Error(`no scene ${scene}`)
    await until(async () => (await check.faults(root, house)).length === 0 && filesIn(`${root}/.penny/staging`).length === 0, 8_000)
    faults.push(...(await check.faults(root, house)), ...halfVisible(root))
    const { accounting: a, alerts } = await report(house)
    if (a.drops !== a.admitted + a.held + a.repeats) faults.push(`drops: ${JSON.stringify(a)}`)
    if (a.copies !== a.open + a.in_progress + a.blocked + a.settled + a.notes) faults.push(`copies: ${JSON.stringify(a)}`)
    faults.push(...alerts.filter(({ code }) => code !== 'unknown-key').map(({ code, about }) => `alert ${code} ${about}`))
  } finally {
    await house.stop()
  }
  const left = filesIn(`${root}/.penny/staging`)
  if (left.length > 0) faults.push(`left in staging: ${left.join(' ')}`)
  if (faults.length > 0) faults.push(...house.logged)
  return faults
}

async function playAll(t: Test, scene: string): Promise<void> {
  const running = new Set<Promise<void>>()
  let count = 0
  let through = 0
  for await (const death of deaths(scene)) {
    count++
    if (death.how === 'through') through++
    const check = takeOver(scene, death).then((faults) => {
      t.same(faults, [], `${scene}: killed before operation ${death.n} (${death.how === 'through' ? 'after the last' : death.asked})`)
      if (faults.length === 0) rmSync(death.root, { recursive: true, force: true })
    })
    running.add(check)
    void check.finally(() => running.delete(check))
    if (running.size >= AT_ONCE) await Promise.race(running)
  }
  await Promise.all(running)
  t.ok(through > 0, `${scene} went through in the end, after ${count} lives`)
}

for (const scene of Object.keys(SCENES)) {
  tap.test(`${scene}: killed before any operation of the disk, nothing is lost, nothing twice, nothing half visible`, { timeout: 180_000 }, (t) =>
    playAll(t, scene),
  )
}
