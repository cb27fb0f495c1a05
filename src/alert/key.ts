/** Names of alert files: `<code>.<key>.md`, the key at most 60 of [a-z0-9-] (contract, page 3). */
import { createHash } from 'node:crypto'
import type { FaultCode } from '../core/fault.ts'

const KEY_LENGTH = 60
/** 64 bits: what tells apart two abouts that are spelt alike. */
const HASH_LENGTH = 16
const PLAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
/** Spellings that `keyOf` and `manyKeyOf` make themselves: an about that looks so is hashed, or it would share a key with another. */
const OURS = /(^|-)many$|-[0-9a-f]{16}$/

/** The about itself where it can be a key, else its last words and a hash: two abouts have two keys. */
export function keyOf(about: string, limit = KEY_LENGTH): string {
  if (about.length <= limit && PLAIN.test(about) && !OURS.test(about)) return about
  const hash = createHash('sha256').update(about).digest('hex').slice(0, HASH_LENGTH)
  const words = about
    .slice(-400)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(-(limit - HASH_LENGTH - 1))
    .replace(/^-+|-+$/g, '')
  return words === '' ? `x-${hash}` : `${words}-${hash}`
}

/** The key of the one alert that counts for an agent what has no file of its own; without an agent, for everybody. */
export function manyKeyOf(agent: string | undefined): string {
  return agent === undefined ? 'many' : `${keyOf(agent, KEY_LENGTH - '-many'.length)}-many`
}

export function isManyKey(key: string): boolean {
  return /(^|-)many$/.test(key)
}

export function alertFile(code: FaultCode, key: string): string {
  return `${code}.${key}.md`
}

/** undefined: no name of an alert. */
export function parseAlertFile(file: string): { code: string; key: string } | undefined {
  const [, code, key] = /^([a-z][a-z-]*)\.([a-z0-9-]{1,60})\.md$/.exec(file) ?? []
  return code !== undefined && key !== undefined ? { code, key } : undefined
}
