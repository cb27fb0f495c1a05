/** Drops that somebody opened for writing while they were taken: `taken.<drop>` in staging. What came late is not lost. */
import { createHash } from 'node:crypto'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { formatTime } from '../core/time.ts'
import type { HoldIntent } from '../journal/index.ts'
import { formatHeldName, isRacy, listOrNothing, openUnlessLeased, statOrNothing } from '../mailbox/index.ts'
import type { Fd } from '../system/types.ts'
import { takenPath } from './place.ts'
import type { DeliverGiven } from './types.ts'

export type HoldIt = (intent: HoldIntent) => Promise<void>

const TAKEN = 'taken.'

/** Looks at them again and again; nothing is listed while none is left and nothing went through staging. */
export function makeLateSweep(given: DeliverGiven, hold: HoldIt): () => Promise<void> {
  const { clock, disk, layout } = given
  let emptyCtimeMs = -1
  return async () => {
    const ctimeMs = statOrNothing(disk, layout.staging)?.ctimeMs
    if (ctimeMs === undefined || ctimeMs === emptyCtimeMs) return
    const listedMs = clock.now()
    emptyCtimeMs = -1
    const taken = listOrNothing(disk, layout.staging).filter(({ name }) => name.startsWith(TAKEN))
    await settleLate(
      given,
      taken.map(({ name }) => name.slice(TAKEN.length)),
      hold,
    )
    if (taken.length === 0 && !isRacy(ctimeMs, listedMs)) emptyCtimeMs = ctimeMs
  }
}

async function settleLate(given: DeliverGiven, drops: readonly string[], hold: HoldIt): Promise<void> {
  const { disk, sealed } = given
  for (const drop of drops) {
    if (!isMessageId(drop)) continue
    const fd = openUnlessLeased(disk, takenPath(given, drop))
    if (typeof fd === 'string') continue
    try {
      if (!disk.lease.take(fd)) continue
      const intent = sealed.find(drop)
      const was = intent?.act === 'repeat' ? sealed.find(intent.of) : intent
      const same = was?.act === 'admit' && hasHash(given, fd, was.sha256)
      disk.lease.drop(fd)
      if (same) disk.unlink(takenPath(given, drop))
      else await hold(lateIntent(given, drop, was && 'name' in was ? was.name : 'message', intent?.from ?? 'unknown'))
    } finally {
      disk.close(fd)
    }
  }
}

/** Nothing above the limit was ever admitted, so more than that needs no reading: it is another text. */
function hasHash({ disk, config }: DeliverGiven, fd: Fd, sha256: string): boolean {
  const { size } = disk.fstat(fd)
  if (size > config().org.limits.messageBytes) return false
  return createHash('sha256').update(disk.read(fd, size)).digest('hex') === sha256
}

function lateIntent(given: DeliverGiven, drop: MessageId, name: string, from: string): HoldIntent {
  const id = given.ids.next()
  const { dev, ino, size, mtimeMs } = given.disk.stat(takenPath(given, drop))
  return {
    act: 'hold',
    drop: id,
    at: formatTime(given.clock.now()),
    boot: given.bootId,
    source: { folder: '.penny/staging', name: `taken.${drop}`, dev, ino, size, mtimeMs },
    from,
    code: 'unmatched-file',
    held: formatHeldName('unmatched-file', id, name),
    folder: 'spool',
    name,
    complaints: [
      { code: 'unmatched-file', spot: undefined, what: `it was written to after it had been taken as message ${drop}; what came late was not delivered` },
    ],
  }
}
