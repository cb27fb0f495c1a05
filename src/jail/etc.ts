/** What a jail has in /etc: parts of the machine's own that hold no secret, and files that are made up. */
import type { Jail } from './jail.ts'
import { HOME_AT } from './places.ts'

/** Certificates, what the dynamic linker needs, time zones, terminals, what Debian's alternatives lead to. */
export const OF_ETC = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'shells',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
]

/** Only where the network is the machine's. */
export const OF_ETC_ONLINE = ['gai.conf', 'host.conf', 'resolv.conf']

export const NAMES_TEXT = 'passwd: files\ngroup: files\nhosts: files dns\n'

/** Where user namespaces show ids that are not mapped (/proc/sys/kernel/overflowuid). */
const NOBODY = 65534

export function accountsText({ agent, uid, gid }: Pick<Jail, 'agent' | 'uid' | 'gid'>): string {
  const shell = '/bin/sh'
  const others = [...(uid === 0 ? [] : ['root:x:0:0:root:/:/usr/sbin/nologin']), `nobody:x:${NOBODY}:${NOBODY}:nobody:/:/usr/sbin/nologin`]
  return `${[`${agent}:x:${uid}:${gid}:${agent}:${HOME_AT}:${shell}`, ...others].join('\n')}\n`
}

export function groupsText({ agent, gid }: Pick<Jail, 'agent' | 'gid'>): string {
  return `${[`${agent}:x:${gid}:`, ...(gid === 0 ? [] : ['root:x:0:']), `nogroup:x:${NOBODY}:`].join('\n')}\n`
}

export function hostsText({ agent }: Pick<Jail, 'agent'>): string {
  return `127.0.0.1 localhost ${agent}\n::1 localhost ip6-localhost\n`
}
