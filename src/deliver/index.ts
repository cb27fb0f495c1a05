/**
 * Puts mail in place, once.
 *
 * Given: a judged plan and the bytes, or a refusal.
 * Returns: when every copy is in its mailbox (or the file in spool/held/) and the drop is gone. Before anything is placed an
 * intent with everything needed to do it again is durable; recovery follows intents only; a checkpoint makes placed files
 * durable in the background and closes the intents.
 * When it fails: before the intent is sealed, with nothing done (a full disk: the drop stays and is tried again); after it,
 * whatever is missing is done by the next sweep or the next start.
 */
export { type AttachmentsFound, findAttachments } from './attachments.ts'
export { copyText } from './copies.ts'
export { createDelivery, type Deliver } from './deliver.ts'
export { heldFix, heldSentence, whyText } from './hold.ts'
export { type LetterThread, letterDelivery } from './letters.ts'
export type { Delivered, DeliverGiven, Delivery, Dropped, FoundAttachment, Refusal } from './types.ts'
