/**
 * Postfix of Debian, end to end: SMTP on the loopback → queue → Maildir, as an instance of its own (configuration, queue and data in a
 * folder of the bench; /etc/postfix and the system's queue are not touched).
 */
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, start, stop } from '../harness/children.mjs'
import { watchFolders } from '../harness/mail.mjs'
import { messageBytes } from '../harness/reference.mjs'
import { boxes, freePort, greeted, mailUid, makeMaildirs, needs, needsOpenPath, newFolders } from './maildirs.mjs'

const connections = 20

/** Mailboxes of `virtual`, Postfix's own delivery agent for mailboxes without a Unix user, to several at a time; no flow control, no DNS,
 * no checks: its best case.
 * @param {string} folder */
const main = (folder) => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = bench.invalid
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_tls_security_level = none
in_flow_delay = 0
default_process_limit = 100
virtual_mailbox_domains = bench.test
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = texthash:${folder}/config/mailboxes
virtual_uid_maps = static:${mailUid}
virtual_gid_maps = static:${mailUid}
virtual_minimum_uid = 1
virtual_destination_concurrency_limit = 40
virtual_destination_recipient_limit = 1
`

/** @param {number} port */
const services = (port) => `
127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

/** Writes the instance's folders and files and lets Postfix make its queue.
 * @param {string} folder @param {number} port */
const prepare = async (folder, port) => {
  for (const path of ['', 'config', 'queue', 'data', 'mail']) mkdirSync(join(folder, path), { mode: 0o755 })
  needsOpenPath(folder)
  const owner = Number((await run('id', ['-u', 'postfix'])).trim())
  chownSync(join(folder, 'data'), owner, 0)
  makeMaildirs(join(folder, 'mail'), mailUid)
  chownSync(join(folder, 'mail'), mailUid, mailUid)
  writeFileSync(join(folder, 'config', 'main.cf'), main(folder))
  writeFileSync(join(folder, 'config', 'master.cf'), services(port))
  writeFileSync(join(folder, 'config', 'mailboxes'), Array.from({ length: boxes }, (_, box) => `u${box}@bench.test u${box}/\n`).join(''))
  await run('/usr/sbin/postfix', ['-c', join(folder, 'config'), 'check'])
}

/** @param {import('../main.mjs').Bench} bench @returns {Promise<number>} messages a second, from the first MAIL to the last arrival */
export const postfix = async ({ programs, dir, amounts }) => {
  await needs('postfix')
  if (process.getuid?.() !== 0) throw new Error('Postfix can only be started as root')
  const folder = join(dir, 'postfix')
  const port = await freePort()
  await prepare(folder, port)
  const server = start('/usr/lib/postfix/sbin/master', ['-c', join(folder, 'config'), '-d'], { log: join(folder, 'stderr') })
  try {
    await greeted(port, server, join(folder, 'log'))
    const count = amounts.neighbours.postfix
    const { seen } = await watchFolders(programs, newFolders(join(folder, 'mail')), { count, seconds: 120 })
    const printed = await run(programs.smtp, ['smtp', String(port), String(connections), String(count), String(boxes), String(messageBytes)])
    const sightings = await seen
    if (sightings.length < count) throw new Error(`${sightings.length} of ${count} arrived: ${readFileSync(join(folder, 'log'), 'utf8').split('\n').at(-2)}`)
    return count / (((sightings.at(-1)?.ns ?? 0) - Number(printed.split(' ')[0])) / 1e9)
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
