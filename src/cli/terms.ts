/** Priority and dates of a letter, refused (65) where the daemon could only hold it; what cannot be judged from here it judges. */
import { readFileSync } from 'node:fs'
import type { Config } from '../core/config.ts'
import { sameOption } from './again.ts'
import { type Call, textOption } from './command.ts'
import { EXIT, GONE, Refusal, refuse, unless } from './exit.ts'

const WEEK_MS = 7 * 86_400_000

export async function checkTimes(call: Call, options: readonly string[]): Promise<void> {
  const given = options.flatMap((option) => {
    const text = textOption(call, option)
    return text?.trim() ? [[option, text] as const] : []
  })
  if (given.length === 0) return
  const { parseMoment } = await import('../core/time.ts')
  for (const [option, text] of given) {
    if (parseMoment(text.trim(), 'UTC')) continue
    const date = new Date(Date.now() + WEEK_MS).toISOString().slice(0, 10)
    refuse(
      EXIT.badMessage,
      `--${option} ${JSON.stringify(text)} is no date and no time`,
      `it is written as a date (${date}) or a time (${date}T17:00:00+01:00); nothing was sent`,
      sameOption(call, option)(date),
    )
  }
}

/** A word that stands in priorities.yaml is believed; only for another one is the whole configuration loaded. */
export async function checkPriority(call: Call, root: string): Promise<void> {
  const word = textOption(call, 'priority')?.trim()
  if (!word) return
  const text = unless(GONE, () => readFileSync(`${root}/policies/priorities.yaml`, 'utf8'))
  if (text?.split(/[^A-Za-z0-9_-]+/).includes(word)) return
  const config = await usableConfig(root)
  if (!config) return
  const { findPriority } = await import('../core/priority.ts')
  const found = findPriority(config.priorities, word)
  if (!('unknown' in found)) return
  refuse(
    EXIT.badMessage,
    `there is no priority ${JSON.stringify(word)}`,
    `${found.near === undefined ? '' : `did you mean ${found.near}? `}known are ${found.known.join(' ')}; nothing was sent`,
    sameOption(call, 'priority')(found.near ?? found.known[0] ?? ''),
  )
}

/** undefined: what lies in policies/ is not what the daemon runs with. */
async function usableConfig(root: string): Promise<Config | undefined> {
  const { loadPolicies } = await import('./policies.ts')
  try {
    return loadPolicies(root)
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}
