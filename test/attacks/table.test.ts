import tap, { type Test } from 'tap'
import { REACHABLE } from '../e2e/driver.ts'
import { asAgents } from './hostile.ts'
import { attackWith } from './suite/attack.ts'
import { IS_POINTED, ours, pointed, type Target } from './suite/target.ts'
import { TABLE } from './table/index.ts'

tap.setTimeout(300_000)

async function holdsAgainstAll(t: Test, target: Target): Promise<void> {
  const { results, leftOut } = await attackWith(TABLE, target)
  for (const { what, place, why } of leftOut) t.comment(`left out in ${target.mode} mode: ${place} · ${what}: ${why}`)
  for (const { what, faults, seen } of results) t.same(faults, [], `${what} (${seen})`)
}

if (IS_POINTED) tap.test('the daemon that the environment names holds against all that is planted', async (t) => holdsAgainstAll(t, pointed(t, process.env)))
else {
  // Mostly they wait.
  tap.jobs = 2
  tap.test('whatever an agent plants in the spool and in its folders leads nowhere, stops nobody and is told', { ...asAgents, buffered: true }, async (t) =>
    holdsAgainstAll(t, await ours(t, 'system')),
  )
  const reachable = { buffered: true, skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' }
  tap.test('nor does it where one ordinary user runs everything', reachable, async (t) => holdsAgainstAll(t, await ours(t, 'user')))
}
