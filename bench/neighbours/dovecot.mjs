/** Dovecot's LMTP server of Debian, on eight connections, with a configuration of its own in a folder of the bench. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended, run, start, stop } from '../harness/children.mjs'
import { messageBytes } from '../harness/reference.mjs'
import { boxes, countDelivered, freePort, greeted, mailUid, makeMaildirs, needs, needsOpenPath } from './maildirs.mjs'

const connections = 8

/** The shortest configuration of Dovecot 2.3 that delivers: no passwords, mail of uN in FOLDER/uN, default `mail_fsync`.
 * @param {string} folder @param {number} port */
const configuration = (folder, port) => `
protocols = lmtp
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
ssl = no
auth_username_format = %n
mail_location = maildir:${folder}/%n
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=${mailUid} gid=${mailUid} home=${folder}/home-%n allow_all_users=yes
}
service lmtp {
  process_min_avail = ${connections}
  client_limit = 1
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
}
`

/** @param {import('../main.mjs').Bench} bench @returns {Promise<number>} messages a second */
export const dovecot = async ({ programs, dir, amounts }) => {
  await needs('dovecot')
  if (process.getuid?.() !== 0) throw new Error('Dovecot is started as root only, as its processes change their uid')
  const version = (await ended(start('dovecot', ['--version']))).stdout
  if (!version.startsWith('2.3.')) throw new Error(`the configuration here is for Dovecot 2.3; this is ${version.trim()}`)
  const folder = join(dir, 'dovecot')
  mkdirSync(folder, { mode: 0o755 })
  needsOpenPath(folder)
  makeMaildirs(folder, mailUid)
  const port = await freePort()
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder, port))
  const server = start('dovecot', ['-F', '-c', join(folder, 'dovecot.conf')], { log: join(folder, 'stderr') })
  try {
    await greeted(port, server, join(folder, 'log'))
    const count = amounts.neighbours.dovecot
    const printed = await run(programs.smtp, ['lmtp', String(port), String(connections), String(count), String(boxes), String(messageBytes)])
    const arrived = countDelivered(folder)
    if (arrived !== count) throw new Error(`${arrived} of ${count} messages arrived: ${readFileSync(join(folder, 'log'), 'utf8').split('\n').at(-2)}`)
    const [begin = 0, end = 0] = printed.split(' ').map(Number)
    return count / ((end - begin) / 1e9)
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
