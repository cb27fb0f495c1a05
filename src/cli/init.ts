import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { counted, shellWord } from '../core/text.ts'
import { packageFolder } from '../system/package.ts'
import { type Call, type Command, expectWords, textOption } from './command.ts'
import { editPolicies, OWN, POLICIES_LOCK } from './editing.ts'
import { codeOf, EXIT, GONE, refuse, unless } from './exit.ts'
import { say, sayJson, tell } from './print.ts'
import { rootAbove } from './root.ts'

const EXAMPLES = ['small', 'thirty']
/** Of every organisation. */
const FOLDERS = [OWN, 'policies', 'spool', 'workspaces']

export const command: Command = {
  summary: 'makes an organisation',
  usage: ['init DIR [--example small|thirty]'],
  examples: [
    ['init acme', 'a person, three agents, a runner'],
    ['init acme --example thirty', 'the example organisation: thirty agents with an org chart'],
  ],
  options: { example: { type: 'string', value: 'small|thirty', about: 'what to write; default: small' } },
  run: async (call) => {
    expectWords(call, 1, 1, 'DIR')
    const root = resolve(call.surroundings.cwd, call.words[0] ?? '')
    const example = textOption(call, 'example') ?? 'small'
    if (example !== 'small' && example !== 'thirty')
      refuse(
        EXIT.usage,
        `there is no example ${JSON.stringify(example)}`,
        `it is one of ${EXAMPLES.join(' ')}`,
        `penny init ${shellWord(root)} --example small`,
      )
    const outer = rootAbove(dirname(root))
    if (outer !== undefined) refuseWithin(outer, root)
    const files = await filesOf(example)
    try {
      needEmpty(root)
      await editPolicies(root, () => {
        // Asked again: another `penny init` may have been faster.
        needEmpty(root)
        write(root, files)
      })
    } catch (cause) {
      if (codeOf(cause) !== 'EACCES' || !(cause instanceof Error)) throw cause
      refuse(EXIT.notPermitted, `you may not make ${root}`, cause.message, `penny init ~/${shellWord(basename(root))}   # or elsewhere in a folder of your own`)
    }
    report(call, root, [...files.keys()])
    if (outer !== undefined) tell(call, `It lies within another organisation, ${outer}: a command means the one in whose folder it is called, or --root.`)
    return EXIT.ok
  },
}

/** Refuses (73) a place in the folders of another organisation: what lies there is its mail, its policies or its holders'. */
function refuseWithin(outer: string, root: string): void {
  const [folder = ''] = relative(outer, root).split('/')
  if (!FOLDERS.includes(folder)) return
  refuse(
    EXIT.cannotWrite,
    `${root} lies in ${folder}/ of another organisation, ${outer}`,
    'its daemon would take the one for a part of the other',
    `penny init ${shellWord(join(dirname(outer), basename(root)))}`,
  )
}

/** Refuses (73) a folder in which anything lies but the lock of another `penny init`. */
function needEmpty(root: string): void {
  const there = unless(GONE, () => (statSync(root).isDirectory() ? readdirSync(root) : ['']))?.filter((name) => name !== OWN)
  const own = unless(GONE, () => readdirSync(join(root, OWN)))?.filter((name) => name !== POLICIES_LOCK)
  if ([...(there ?? []), ...(own ?? [])].length > 0)
    refuse(
      EXIT.cannotWrite,
      `${root} is not empty`,
      'an organisation is made in an empty or a new folder, so that nothing is overwritten',
      `penny init ${shellWord(`${root}/organisation`)}`,
    )
}

function write(root: string, files: Awaited<ReturnType<typeof filesOf>>): void {
  for (const [path, { text, mode }] of files) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { flag: 'wx', mode })
    chmodSync(file, mode)
  }
  for (const folder of ['spool', 'workspaces']) mkdirSync(join(root, folder))
  // Anybody drops, nobody reads the others' (contract, page 5).
  chmodSync(join(root, 'spool'), 0o1733)
}

async function filesOf(example: 'small' | 'thirty'): Promise<ReadonlyMap<string, { text: string; mode: number }>> {
  const { exampleFiles, readPolicies } = await import('../config/index.ts')
  if (example === 'small') return exampleFiles({ kind: 'small' })
  const { plainDisk } = await import('./disk.ts')
  const folder = join(packageFolder(), 'policies')
  if (!existsSync(join(folder, 'org.yaml')))
    refuse(EXIT.noSuchThing, 'the example organisation is not here', `${folder} is missing from this installation`, 'npm install --global pennypost')
  return exampleFiles({ kind: 'thirty', policies: readPolicies(plainDisk(), folder) })
}

function report(call: Call, root: string, files: readonly string[]): void {
  if (call.json) return sayJson(call, { root, files })
  say(call, root)
  const holder = files.map((file) => /^policies\/agents\/(.*)\.md$/.exec(file)?.[1]).find((name) => name !== undefined)
  tell(call, `${counted(files.length, 'file')} under policies/. Next:`)
  tell(call, `  cd ${shellWord(root)}`)
  tell(call, '  penny up --detach')
  tell(call, `  echo 'Good morning' | penny send ${holder ?? 'all'} -s 'Hello'`)
  tell(call, '  penny tasks')
}
