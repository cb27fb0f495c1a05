/**
 * Text ⇄ message; the only room that knows YAML front matter.
 *
 * Given: the bytes of a file (any bytes, hostile ones too), or the text of one that parsed.
 * Returns: plain data. `parseMessage` and `parseHead` give the text with its values or every complaint, each with line and column;
 * `readDraft` what a sender says, `readHolder` what a holder may change; `rewrite` the text with some keys changed.
 * When it fails: parsing never throws and is linear in the size of its input. `rewrite` throws on a text that does not parse:
 * who calls it has parsed before.
 * Names are not resolved here, times not judged, nothing is read or written.
 */
export { readDraft } from './draft.ts'
export { type HolderPart, readHolder } from './holder.ts'
export { parseHead, parseMessage } from './parse.ts'
export { rewrite } from './rewrite.ts'
export { defaultSubject, firstLine } from './subject.ts'
export type { Limits, MessageText, Parsed, Values } from './types.ts'
