/** The version of what lies on disk, in `.penny/format`. */

export const FORMAT = 1

/** undefined: no version can be read from the text. */
export function parseFormat(text: string): number | undefined {
  const match = /^(\d{1,6})\s*$/.exec(text)
  return match ? Number(match[1]) : undefined
}
