/** The provider for tests and the gateway (`penny gateway run`), each in a process of its own, behind real sockets. */
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import * as link from '../../scripts/lib/link.mjs'
import { start, stop } from '../harness/children.mjs'

/** The key that the provider knows when it is told none. */
export const KEY = 'sk-ant-test'

/** @typedef {{ readonly provider: string, readonly penny: string, readonly plain: string, readonly house: string, readonly share: string, readonly reviews: string }} Programs */

/** Bundles both into `dir`.
 * @param {string} root of the repository @param {string} dir @returns {Promise<Programs>} */
export const bundle = async (root, dir) => {
  const entries = {
    provider: join(root, 'test/support/provider/main.ts'),
    penny: join(root, 'src/cli/penny.ts'),
    house: join(root, 'test/share/house.ts'),
    share: join(root, 'src/share/index.ts'),
    reviews: join(root, 'bench/gateway/reviews.ts'),
  }
  const out = { '.js': '.mjs' }
  await build({
    entryPoints: entries,
    outdir: dir,
    outExtension: out,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
  const at = (/** @type {keyof typeof entries} */ name) => join(dir, `${name}.mjs`)
  return {
    provider: at('provider'),
    penny: at('penny'),
    house: at('house'),
    share: at('share'),
    reviews: at('reviews'),
    plain: join(root, 'bench/gateway/plain.mjs'),
  }
}

/** @typedef {import('../../test/support/provider/options.ts').Seen & { readonly session?: string }} Seen */
/** @typedef {{ readonly url: string, readonly seen: Seen[], readonly stop: () => Promise<unknown> }} Standing */

/** Starts a program that says where it is in its first line; the others say what it saw.
 * @param {string} program @param {readonly string[]} args @param {string} log @returns {Promise<Standing>} */
const stand = async (program, args, log) => {
  const child = start(process.execPath, [program, ...args], { log })
  /** @type {Seen[]} */
  const seen = []
  const lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) })
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => Promise.reject(new Error(`${program} has ended; see ${log}`)))])
  lines.on('line', (line) => {
    const said = JSON.parse(line)
    if (said.seen) seen.push(said.seen)
  })
  return { url: JSON.parse(first[0]).url, seen, stop: () => stop(child, 2000) }
}

/** @param {Programs} programs @param {object} options @param {string} log @param {string} [script] a module of what it answers */
export const startProvider = ({ provider }, options, log, script) =>
  stand(provider, ['--log', '--options', JSON.stringify(options), ...(script === undefined ? [] : ['--script', script])], log)

/** @param {Programs} programs @param {{ upstream: string, agents: readonly import('./agents.mjs').Agent[] }} given @param {string} log */
export const startGateway = async ({ penny }, given, log) => {
  const fd = openSync(log, 'a')
  // It ends when this process does: nobody is at the other end of its line then.
  const started = link.startGateway({ ...given, penny, key: KEY, dir: mkdtempSync(`${log}-`), log: fd })
  return started.finally(() => closeSync(fd))
}

/** @param {Programs} programs @param {string} upstream @param {string} log */
export const startPlain = ({ plain }, upstream, log) => stand(plain, [upstream], log)
