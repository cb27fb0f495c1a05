/** Where everything lies under the root, who owns it, who may enter (contract, pages 1 and 5). */
import type { Name } from '../core/names.ts'
import type { Folder } from '../core/status.ts'

export type Layout = Readonly<{
  root: string
  policies: string
  spool: string
  alerts: string
  closedAlerts: string
  held: string
  workspaces: string
  /** The daemon's own folder. */
  own: string
  staging: string
  /** Numbers of agents, handed out once. */
  uids: string
  spoolBox: (name: string) => string
  workspace: (holder: string) => string
  folder: (holder: string, folder: Folder) => string
  outbox: (holder: string) => string
  sent: (holder: string) => string
  attachments: (holder: string) => string
  runs: (holder: string) => string
  home: (holder: string) => string
  private: (name: PrivateFolder) => string
  daemonSocket: string
  /** Requests that ended a context, by agent: the gateway's process keeps them. */
  checkpoints: string
  /** The gateway process's own folder, and its ledger there. */
  gateway: string
  ledger: string
  /** Of an agent's socket to the gateway, `gateway.sock`: nothing else lies there, and a jail shows it. */
  socketFolder: (agent: string) => string
}>

/** Folders of .penny/ that the mail uses. */
export const PRIVATE_FOLDERS = ['staging', 'sealed', 'intents', 'journal', 'canary', 'state', 'said', 'runs', 'run'] as const
export type PrivateFolder = (typeof PRIVATE_FOLDERS)[number]

/** How names in staging begin that may hold a text of a holder's: `swapped.<id>.<digest of what was read>.<digest of ours>.<secret>`. */
export const SWAPPED = 'swapped.'

export function layoutOf(root: string): Layout {
  const own = `${root}/.penny`
  const workspaces = `${root}/workspaces`
  const spool = `${root}/spool`
  const workspace = (holder: string): string => `${workspaces}/${holder}`
  return {
    root,
    policies: `${root}/policies`,
    spool,
    alerts: `${spool}/alerts`,
    closedAlerts: `${spool}/alerts/done`,
    held: `${spool}/held`,
    workspaces,
    own,
    staging: `${own}/staging`,
    uids: `${own}/uids.yaml`,
    spoolBox: (name) => `${spool}/${name}`,
    workspace,
    folder: (holder, folder) => `${workspace(holder)}/${folder}`,
    outbox: (holder) => `${workspace(holder)}/outbox`,
    sent: (holder) => `${workspace(holder)}/sent`,
    attachments: (holder) => `${workspace(holder)}/attachments`,
    runs: (holder) => `${workspace(holder)}/runs`,
    home: (holder) => `${workspace(holder)}/home`,
    private: (name) => `${own}/${name}`,
    daemonSocket: `${own}/run/daemon.sock`,
    checkpoints: `${own}/checkpoints`,
    gateway: `${own}/gateway`,
    ledger: `${own}/gateway/ledger`,
    socketFolder: (agent) => `${own}/sockets/${agent}`,
  }
}

/**
 * Who owns a path in system mode; in user mode everything is the one user's. `closed`: in a folder where anybody can make one;
 * whoever made it could keep it open and look into it for ever, whoever owns it later.
 */
export type Rule = Readonly<{
  path: string
  user: 'daemon' | 'holder' | 'gateway'
  group: 'daemon' | 'operators' | 'holder' | 'readers' | 'gateway'
  mode: number
  closed?: true
  /** Where what lies in it goes with the folder when its owner changes. */
  contents?: Contents
}>

/** Which modes the files and folders in a folder have: `mail` an agent's, `given` to it by the daemon; the others keep what they have, as far as it may be. */
export type Contents = 'mail' | 'given' | 'agent' | 'person' | 'policies' | 'daemon' | 'alerts' | 'held'

/** The folders of the organisation itself. */
export function rootRules(layout: Layout): Rule[] {
  const rule = (path: string, mode: number, group: Rule['group'] = 'daemon'): Rule => ({ path, user: 'daemon', group, mode })
  return [
    { ...rule(layout.policies, 0o2770, 'operators'), contents: 'policies' },
    { ...rule(layout.own, 0o711), contents: 'daemon' },
    ...PRIVATE_FOLDERS.map((name) => (name === 'run' ? rule(layout.private(name), 0o750, 'operators') : rule(layout.private(name), 0o700))),
    rule(layout.spool, 0o1733),
    closed(rule(`${layout.spool}/files`, 0o1733)),
    { ...closed(rule(layout.alerts, 0o750, 'operators')), contents: 'alerts' },
    rule(layout.closedAlerts, 0o750, 'operators'),
    { ...closed(rule(layout.held, 0o750, 'operators')), contents: 'held' },
    rule(layout.workspaces, 0o711),
  ]
}

const closed = (rule: Rule): Rule => ({ ...rule, closed: true })

export function spoolBoxRules(layout: Layout, name: string): Rule[] {
  const box = layout.spoolBox(name)
  return [closed({ path: box, user: 'daemon', group: 'daemon', mode: 0o1733 }), closed({ path: `${box}/files`, user: 'daemon', group: 'daemon', mode: 0o1733 })]
}

export function agentRules(layout: Layout, agent: Name): Rule[] {
  const own = (path: string, mode: number): Rule => ({ path, user: 'holder', group: 'holder', mode })
  const mail = (path: string): Rule => ({ path, user: 'holder', group: 'readers', mode: 0o2750, contents: 'mail' })
  const given = (path: string): Rule => ({ path, user: 'daemon', group: 'holder', mode: 0o750, contents: 'given' })
  return [
    { path: layout.workspace(agent), user: 'daemon', group: 'readers', mode: 0o711 },
    mail(layout.folder(agent, 'new')),
    mail(layout.folder(agent, 'cur')),
    mail(layout.folder(agent, 'done')),
    { ...own(layout.outbox(agent), 0o700), contents: 'agent' },
    { ...own(`${layout.outbox(agent)}/files`, 0o700), contents: 'agent' },
    { ...own(layout.home(agent), 0o700), contents: 'agent' },
    given(layout.sent(agent)),
    given(layout.attachments(agent)),
    given(layout.runs(agent)),
  ]
}

/** The gateway process's own folder, and the one that the folders of sockets lie in: made once there is a provider. */
export function gatewayRules(layout: Layout): Rule[] {
  const folder = layout.socketFolder('')
  return [
    { path: layout.gateway, user: 'gateway', group: 'gateway', mode: 0o700 },
    { path: layout.ledger, user: 'gateway', group: 'gateway', mode: 0o700 },
    { path: layout.checkpoints, user: 'gateway', group: 'gateway', mode: 0o700 },
    { path: folder.slice(0, folder.lastIndexOf('/')), user: 'daemon', group: 'daemon', mode: 0o711 },
  ]
}

/** The gateway makes the socket, which gets the folder's group: nobody but that agent passes. */
export function socketRule(layout: Layout, agent: Name): Rule {
  return { path: layout.socketFolder(agent), user: 'gateway', group: 'holder', mode: 0o2710 }
}

/** All of it is the person's, 0700, except the folder that holds it: so none of it can be swapped for a link, or removed. */
export function personRules(layout: Layout, person: Name): Rule[] {
  const own = (path: string): Rule => ({ path, user: 'holder', group: 'holder', mode: 0o700 })
  const folders = [layout.folder(person, 'new'), layout.folder(person, 'cur'), layout.folder(person, 'done')]
  return [
    { path: layout.workspace(person), user: 'daemon', group: 'holder', mode: 0o711 },
    ...[...folders, layout.outbox(person), layout.sent(person), layout.attachments(person)].map((path): Rule => ({ ...own(path), contents: 'person' })),
    own(`${layout.outbox(person)}/files`),
  ]
}
