/** What the three neighbours have in common: thirty Maildirs u0 … u29, a message, a free port, a user who owns the mail. */
import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { ended, start } from '../harness/children.mjs'
import { pause } from '../harness/numbers.mjs'
import { messageBytes } from '../harness/reference.mjs'

export const boxes = 30

/** The uid that owns mail where a server refuses to deliver as root: nobody's, on every Linux. */
export const mailUid = 65534

const head = 'From: sender@bench.test\nTo: u0@bench.test\nSubject: bench\n\n'

export const message =
  head +
  'Please look at this item and say what you think of it, today.\n'
    .repeat(40)
    .slice(0, messageBytes - head.length - 1)
    .concat('\n')

/** Says how to mend it when a neighbour isn't installed.
 * @param {string} program */
export const needs = async (program) => {
  const { code } = await ended(start('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`]))
  if (code !== 0) throw new Error(`${program} is not installed. fix: scripts/setup bench`)
}

/** Servers that drop privileges must be able to walk to the folder; a checkout below somebody's closed home can't be used.
 * @param {string} folder */
export const needsOpenPath = (folder) => {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) throw new Error(`other users cannot enter ${at}. fix: npm run bench -- --dir FOLDER, on the same disk`)
    if (at === dirname(at)) return
  }
}

/** @param {string} folder @param {number} [owner] */
export const makeMaildirs = (folder, owner) => {
  for (let box = 0; box < boxes; box++) {
    for (const path of [`u${box}`, `u${box}/tmp`, `u${box}/new`, `u${box}/cur`]) {
      mkdirSync(join(folder, path), { mode: 0o700 })
      if (owner !== undefined) chownSync(join(folder, path), owner, owner)
    }
  }
}

/** @param {string} folder */
export const newFolders = (folder) => Array.from({ length: boxes }, (_, box) => join(folder, `u${box}`, 'new'))

/** @param {string} folder */
export const countDelivered = (folder) => newFolders(folder).reduce((sum, path) => sum + readdirSync(path).length, 0)

/** A port of the loopback that nobody listens on, given by the kernel.
 * @returns {Promise<number>} */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })

/** Waits until a server greets; a server that ends before that is an error.
 * @param {number} port
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} log where the server says what is wrong */
export const greeted = async (port, child, log) => {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}; see ${log} (with --keep)`)
    const answer = await new Promise((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.once('data', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.setTimeout(1000, () => resolve(false))
      socket.once('data', () => socket.destroy())
    })
    if (answer === true) return
    await pause(100)
  }
  throw new Error(`no greeting on port ${port} within 10 s; see ${log} (with --keep)`)
}
