/** Makes what was placed durable, many files at a time and off the path of delivery, and closes the intents. */
import type { MessageId } from '../core/ids.ts'
import type { Intent } from '../journal/index.ts'
import { isGone, isLeased } from '../mailbox/index.ts'
import { CANARY, newFolder } from './place.ts'
import type { DeliverGiven } from './types.ts'

/** fsyncs in flight: more buys nothing (docs/decisions/0001-durability.md). */
const AT_ONCE = 16
/** From this many intents on, one syncfs is cheaper than a file's fsync each. */
const MANY = 64

export type Closing = Readonly<{ finished: (intent: Intent) => void; checkpoint: () => Promise<void> }>

/** What an intent left to be made durable: the bytes are in the seal, so they are not kept here. */
type Finished = Readonly<{ drop: MessageId; copies: readonly MessageId[]; folders: readonly string[] }>

export function closing(given: DeliverGiven): Closing {
  const { disk, layout, ledger, sealed } = given
  let waiting: Finished[] = []

  /** Where a copy lies now: its holder may have moved it since. */
  function pathsOf({ copies }: Finished): string[] {
    return copies.flatMap((id) => {
      const mail = ledger.get(id)
      // Settled, rewritten or moved: whoever rewrote it has made it durable.
      return mail ? [`${layout.folder(mail.holder, mail.folder)}/${mail.file}`] : []
    })
  }

  /** Resolves to those that have to wait, because a holder lets nobody open a file of theirs. */
  async function makeDurable(batch: readonly Finished[]): Promise<readonly Finished[]> {
    if (batch.length >= MANY && disk.syncFileSystem) {
      await disk.syncFileSystem(layout.staging)
      return []
    }
    const paths = new Map(batch.map((one) => [one, pathsOf(one)]))
    const leased = await syncAll(new Set([...paths.values()].flat()), disk.syncPath)
    await syncAll(new Set([layout.staging, ...batch.flatMap(({ folders }) => folders)]), disk.syncPath)
    return batch.filter((one) => paths.get(one)?.some((path) => leased.has(path)))
  }

  return {
    finished: (intent) => {
      const copies = intent.act === 'admit' ? intent.copies.flatMap(({ id, to }) => (to === CANARY ? [] : [id])) : []
      waiting.push({ drop: intent.drop, copies, folders: foldersOf(given, intent) })
    },
    checkpoint: async () => {
      const batch = waiting
      if (batch.length === 0) return
      waiting = []
      let left: readonly Finished[]
      try {
        // The journal first: an intent is closed only where what it did is known without it.
        await given.syncJournal()
        left = await makeDurable(batch)
      } catch (cause) {
        waiting = [...batch, ...waiting]
        throw cause
      }
      waiting = [...left, ...waiting]
      for (const one of batch) if (!left.includes(one)) sealed.close(one.drop)
      await sealed.mark()
    },
  }
}

function foldersOf(given: DeliverGiven, intent: Intent): string[] {
  const { layout } = given
  const source = intent.source ? [`${layout.root}/${intent.source.folder}`] : []
  if (intent.act === 'hold') return [...source, layout.held]
  if (intent.act === 'repeat') return source
  const attachments = intent.attachments.length > 0 ? intent.copies.map(({ to }) => layout.attachments(to)) : []
  return [...source, ...intent.files.map(({ folder }) => `${layout.root}/${folder}`), ...intent.copies.map((copy) => newFolder(given, copy)), ...attachments]
}

/** Resolves to the paths that nobody can open just now. */
async function syncAll(paths: ReadonlySet<string>, sync: (path: string) => Promise<void>): Promise<ReadonlySet<string>> {
  const queue = [...paths]
  const leased = new Set<string>()
  const work = async (): Promise<void> => {
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      try {
        await sync(path)
      } catch (cause) {
        if (isLeased(cause)) leased.add(path)
        // Moved by its holder in this moment, locked or replaced by a link: the holder's own doing, which the settle room answers.
        else if (!isGone(cause) && !['EACCES', 'ELOOP'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return leased
}
