/** Accounts and groups of this machine, from wherever it keeps them (getent(1): files, LDAP, sssd). */
import { execFileSync } from 'node:child_process'
import type { Owner } from './types.ts'

/** getent(1): a key is not found. */
const NOT_FOUND = 2

type Database = 'passwd' | 'group'

/** By name or number; of a group only the gid counts. undefined: there is none. Throws ELOOKUP where nobody can tell. */
export function accountOf(database: Database, nameOrId: string): Owner | undefined {
  const [fields] = lookUp(database, [nameOrId])
  // A bare number is an account of its own.
  if (!fields) return /^\d+$/.test(nameOrId) ? { uid: Number(nameOrId), gid: Number(nameOrId) } : undefined
  return database === 'passwd' ? { uid: Number(fields[2]), gid: Number(fields[3]) } : { uid: 0, gid: Number(fields[2]) }
}

/** uids of those whom a group names; who has it as the first group of the account is not among them. Throws ELOOKUP. */
export function membersOf(group: string): number[] {
  const named = lookUp('group', [group])[0]?.[3] ?? ''
  const names = named.split(',').filter((name) => name !== '')
  return names.length === 0 ? [] : lookUp('passwd', names).map((fields) => Number(fields[2]))
}

/** The fields of each that there is. */
function lookUp(database: Database, keys: readonly string[]): string[][] {
  const found = (text: string): string[][] => text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(':')]))
  try {
    return found(execFileSync('getent', [database, ...keys], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch (cause) {
    const { status, stdout } = cause as { status?: number; stdout?: string }
    if (status === NOT_FOUND) return found(stdout ?? '')
    throw Object.assign(new Error(`accounts of this machine cannot be looked up: ${(cause as Error).message.split('\n')[0]}`), { code: 'ELOOKUP' })
  }
}
