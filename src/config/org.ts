/** org.yaml: the organisation itself. `name` and `postmaster` are needed, the rest has the defaults of page 1. */
import type { Org } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { anything, commands, duration, fields, flag, integer, line, lineOrNothing, list, type Placed, placed, type Reader, size, timezone } from './fields.ts'
import type { Located, Report } from './yaml.ts'

const KiB = 1024
const GiB = 1024 ** 3
/** setpriv and older kernels' tools take ids as signed 32-bit numbers. */
const LAST_UID = 2_147_483_646
/** `nobody`, and the 16-bit -1 that old calls treat as "no change". */
const UNUSABLE_UIDS = [65_534, 65_535]

export type OrgFile = Readonly<{
  org: Org
  postmaster: Placed<string> | undefined
  uids: Placed<Org['uids']> | undefined
  operators: Placed<string> | undefined
}>

/** `hasGateway`: a provider is configured, and starts are as far apart as the gateway has room for. */
export function readOrg(node: Located, report: Report, hasGateway: boolean): OrgFile {
  const read = fields(
    node,
    report,
    {
      name: line,
      postmaster: placed(line),
      operators: placed(lineOrNothing),
      timezone,
      uids: placed(uids),
      wake,
      limits,
      retention: duration(1),
      notify: commands,
      accept_unknown_uids: flag,
      gateway,
      checkpoints_to: list(anything),
    },
    { needed: ['name', 'postmaster'], own: true },
  )
  const org: Org = {
    name: read.name ?? '',
    postmaster: (read.postmaster?.value ?? '') as Name,
    operators: read.operators?.value ?? '',
    timezone: read.timezone ?? 'UTC',
    uids: read.uids?.value ?? { from: 410_000, to: 419_999 },
    wake: { concurrency: read.wake?.concurrency ?? CONCURRENCY, staggerMs: read.wake?.stagger ?? (hasGateway ? 0 : STAGGER_MS) },
    limits: read.limits ?? DEFAULT_LIMITS,
    retentionMs: read.retention ?? 30 * 86_400_000,
    notify: read.notify ?? [],
    acceptUnknownUids: read.accept_unknown_uids ?? false,
    gateway: read.gateway ?? DEFAULT_GATEWAY,
  }
  return { org, postmaster: read.postmaster, uids: read.uids, operators: read.operators }
}

const uids: Reader<Org['uids']> = (node, report) => {
  const { from, to } = fields(node, report, { from: integer(1000, LAST_UID), to: integer(1000, LAST_UID) }, { needed: ['from', 'to'] })
  if (from === undefined || to === undefined) return undefined
  if (to < from) {
    report(node.spot, `from (${from}) must not be above to (${to})`)
    return undefined
  }
  const taken = UNUSABLE_UIDS.find((uid) => uid >= from && uid <= to)
  if (taken !== undefined) report(node.spot, `the range holds ${taken}, which no agent can have`)
  return { from, to }
}

const CONCURRENCY = 8
const STAGGER_MS = 2_000

const wake: Reader<Readonly<{ concurrency: number | undefined; stagger: number | undefined }>> = (node, report) =>
  fields(node, report, { concurrency: integer(1, 1000), stagger: duration(0, 3_600_000) })

const DEFAULT_LIMITS: Org['limits'] = { messageBytes: 256 * KiB, frontMatterBytes: 16 * KiB, attachmentBytes: 64 * KiB * KiB, attachments: 8, backlog: 10_000 }

const limits: Reader<Org['limits']> = (node, report) => {
  const read = fields(node, report, {
    message: size(KiB, 16 * KiB * KiB),
    front_matter: size(256, KiB * KiB),
    attachment: size(1, 1024 * GiB),
    // Each takes three keys of the stamped front matter, whose number the strict reader bounds.
    attachments: integer(0, 64),
    backlog: integer(1, 10_000_000),
  })
  const found: Org['limits'] = {
    messageBytes: read.message ?? DEFAULT_LIMITS.messageBytes,
    frontMatterBytes: read.front_matter ?? Math.min(DEFAULT_LIMITS.frontMatterBytes, read.message ?? DEFAULT_LIMITS.messageBytes),
    attachmentBytes: read.attachment ?? DEFAULT_LIMITS.attachmentBytes,
    attachments: read.attachments ?? DEFAULT_LIMITS.attachments,
    backlog: read.backlog ?? DEFAULT_LIMITS.backlog,
  }
  if (found.frontMatterBytes > found.messageBytes) report(node.spot, 'front_matter must not be above message: it is a part of it')
  return found
}

const DEFAULT_GATEWAY: Org['gateway'] = { host: '127.0.0.1', port: 8787 }

/** Loopback alone: whoever reaches it needs no more than an agent's key. */
const listen: Reader<Org['gateway']> = (node, report) => {
  const text = line(node, report)
  if (text === undefined) return undefined
  const [, host = '', digits] = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (port >= 1 && port <= 65_535) return { host: host === '[::1]' ? '::1' : host, port }
  report(node.spot, `a loopback address and a port are needed, such as 127.0.0.1:8787, this is ${JSON.stringify(text.slice(0, 64))}`)
  return undefined
}

const gateway: Reader<Org['gateway']> = (node, report) => fields(node, report, { listen }).listen
