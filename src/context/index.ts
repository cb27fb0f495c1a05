/**
 * The context cliff: a session that is nearly full is compacted, and what was only in it is gone (contract, page 6). docs/context.md.
 *
 * Given: what the gateway tells of contexts, the mail that is not settled, a disk, and what raises alerts and sends letters.
 * Returns: orders to write a checkpoint (`createOrders`), each once in a context; versions of what was written (`makeVersions`) and sealed
 * requests (`copySealed`), in `runs/` of the agent, where its next run finds them (`keptFor`) and nobody but the daemon writes; what a hook
 * of a client answers (`judgeCompaction`), pure.
 * When it fails: what the disk refuses is in the log and done again with the next look. A checkpoint that was not written in time is told
 * to people (`checkpoint-missing`); no request and no run waits for it.
 */
export { CHECKPOINT, checkpointFile, checkpointTime, isContextFile, sealedFile } from './names.ts'
export { type Order, readOrder } from './order.ts'
export { type Change, createOrders, type Orders, type OrdersGiven, type Standing } from './orders.ts'
export { type Asked, type CompactVerdict, judgeCompaction, judgeTelling, MOST_ASKED } from './precompact.ts'
export { copySealed, type SealedCopies } from './sealed.ts'
export { keptFor, makeVersions, type Versions, type VersionsGiven } from './versions.ts'
export { HOLDS } from './words.ts'
