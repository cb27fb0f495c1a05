/** What a run printed on standard output, up to what a message can hold: its reply. */
import { oneLine, showSafely } from '../core/text.ts'

/** Of a last line, and the white space after it. */
const LAST_BYTES = 2048

export type Printed = Readonly<{
  add: (chunk: Buffer) => void
  /** The text; empty where only white space was printed. `where` names the place of the rest. */
  text: (where: string) => string
}>

export function collectPrinted(limitBytes: number): Printed {
  // Copied out of the chunks: a program that writes byte by byte would have each of them kept, with a hundred times its length.
  let bytes = Buffer.alloc(0)
  let kept = 0
  let total = 0
  return {
    add: (chunk) => {
      total += chunk.length
      const length = Math.min(limitBytes, kept + chunk.length)
      if (length > bytes.length) bytes = Buffer.concat([bytes], Math.min(limitBytes, Math.max(length, 2 * bytes.length)))
      kept += chunk.copy(bytes, kept, 0, length - kept)
    },
    text: (where) => {
      const printed = bytes.subarray(0, kept)
      if (total <= limitBytes) {
        const text = printed.toString('utf8')
        return text.trim() === '' ? '' : text
      }
      return `${printed.subarray(0, wholeCharacters(printed)).toString('utf8')}\n\n(cut here: ${total - kept} bytes more are in ${where})\n`
    },
  }
}

/** The last line of what was printed on either stream: mostly why it failed. */
export function collectLastLine(): Readonly<{ add: (chunk: Buffer) => void; text: () => string | undefined }> {
  let end = Buffer.alloc(0)
  return {
    add: (chunk) => {
      end = Buffer.concat([end, chunk.subarray(-LAST_BYTES)]).subarray(-LAST_BYTES)
    },
    text: () => {
      const line = end.toString('utf8').trimEnd().split('\n').at(-1) ?? ''
      return line.trim() === '' ? undefined : oneLine(showSafely(line))
    },
  }
}

/** The length without a last character that was cut in the middle. */
function wholeCharacters(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--
  const lead = bytes[end - 1] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return end - 1 + length === bytes.length ? bytes.length : end - 1
}
