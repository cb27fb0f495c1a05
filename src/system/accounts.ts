/** Accounts and groups of this machine, from wherever it keeps them (getent(1): files, LDAP, sssd). */
import { execFileSync } from 'node:child_process'
import type { Owner } from './types.ts'

/** getent(1): the key is not found. */
const NOT_FOUND = 2

/** By name or number; of a group only the gid counts. undefined: there is none. Throws ELOOKUP where nobody can tell. */
export function accountOf(database: 'passwd' | 'group', nameOrId: string): Owner | undefined {
  try {
    const fields = execFileSync('getent', [database, nameOrId], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split(':')
    return database === 'passwd' ? { uid: Number(fields[2]), gid: Number(fields[3]) } : { uid: 0, gid: Number(fields[2]) }
  } catch (cause) {
    // A bare number is an account of its own.
    if ((cause as { status?: number }).status === NOT_FOUND) return /^\d+$/.test(nameOrId) ? { uid: Number(nameOrId), gid: Number(nameOrId) } : undefined
    throw Object.assign(new Error(`accounts of this machine cannot be looked up: ${(cause as Error).message.split('\n')[0]}`), { code: 'ELOOKUP' })
  }
}
