/** What an operator does in the name of a holder: claims, ends and releases. Only what really changed is told as done. */
import type { Config } from '../core/config.ts'
import type { Replies } from '../core/control.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Changed } from '../core/post.ts'
import { type Folder, mayChange, type Status } from '../core/status.ts'
import { byService, type Ledger, type Mail } from '../mailbox/index.ts'
import type { Settle } from '../settle/index.ts'
import { Refused } from './control.ts'

export type HoldingGiven = Readonly<{ config: () => Config; ledger: Ledger; settle: Settle }>

type Wanted = Readonly<{ to: Status; result?: string; progress?: string }>

export type Holding = Readonly<{
  change: (mail: Mail, wanted: Wanted, agent: string | undefined) => Promise<Replies['change']>
  /** The most urgent message of new/ that was claimed here and by nobody else; undefined: there is none. */
  claimNext: (holder: Name) => Promise<Mail | undefined>
}>

const NO_SUCH = 66
const TRY_AGAIN = 75
const NOT_PERMITTED = 77

export function createHolding({ config, ledger, settle }: HoldingGiven): Holding {
  const by = (): Name => config().org.postmaster

  async function changeNote(mail: Mail, { to, result, progress }: Wanted): Promise<void> {
    const folder = folderOfNote(to)
    if (folder === undefined || result !== undefined || progress !== undefined)
      throw new Refused(NOT_PERMITTED, `${mail.id} is a note: it can be read and put away, and nothing else`, `penny settle ${mail.id} done`)
    const { outcome } = await settle.moveNote(mail.id, folder, by())
    if (outcome === 'gone') throw new Refused(NO_SUCH, `${mail.id} is put away, or not where it was`, `penny log ${mail.id}`)
    if (outcome === 'unchanged' && folder === 'cur') throw claimedAlready(mail.id)
  }

  async function changeTask(mail: Mail, was: Status, wanted: Wanted, agent: string | undefined): Promise<void> {
    const { to, result, progress } = wanted
    const changed = await settle.apply({
      id: mail.id,
      to,
      // The operator acts for the holder where the holder may, else as the postmaster.
      actor: mayChange('holder', was, to) ? 'holder' : 'postmaster',
      by: agent ?? by(),
      ...(result === undefined ? {} : { result }),
      ...(progress === undefined ? {} : { progress }),
      ...(to === 'in_progress' ? { claim: true } : {}),
    })
    tellRefusal(mail.id, changed)
    if (changed.outcome === 'unchanged' && mail.status !== to)
      throw new Refused(TRY_AGAIN, `${mail.id} is being written by its holder just now; it was not made ${to}`, `penny show ${mail.id}`)
  }

  return {
    change: async (mail, wanted, agent) => {
      if (agent !== undefined && mail.holder !== agent)
        throw new Refused(NO_SUCH, `${mail.id} is not in the mailbox of ${agent}, but of ${mail.holder}`, `penny show ${mail.id}`)
      await (mail.status === null ? changeNote(mail, wanted) : changeTask(mail, mail.status, wanted, agent))
      return { id: mail.id, status: wanted.to }
    },
    claimNext: async (holder) => {
      for (const mail of [...ledger.of(holder).values()].sort(byService)) {
        // Others claim at the same time: it may have gone since the list was made.
        if (ledger.get(mail.id)?.folder !== 'new') continue
        const { outcome } = await (mail.status === null
          ? settle.moveNote(mail.id, 'cur', holder)
          : settle.apply({ id: mail.id, to: 'in_progress', actor: 'holder', by: holder, claim: true }))
        if (outcome === 'changed') return mail
      }
      return undefined
    },
  }
}

/** A note lies somewhere, and that is all there is to it. */
function folderOfNote(to: Status): Folder | undefined {
  switch (to) {
    case 'open':
      return 'new'
    case 'in_progress':
      return 'cur'
    case 'done':
      return 'done'
    case 'blocked':
    case 'failed':
    case 'cancelled':
      return undefined
  }
}

function tellRefusal(id: MessageId, changed: Changed): void {
  if (changed.outcome === 'refused') throw new Refused(NOT_PERMITTED, changed.why, `penny show ${id}`)
  if (changed.outcome === 'gone') throw new Refused(NO_SUCH, `${id} is not where it was`, `penny log ${id}`)
}

function claimedAlready(id: MessageId): Refused {
  return new Refused(NOT_PERMITTED, 'it is claimed already', `penny show ${id}`)
}
