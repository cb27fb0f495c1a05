/** What bwrap(1) says of a program on its --json-status-fd. */

export type Said = Readonly<{
  /** First process of the jail; with its end every other one there ends. */
  pid: number | undefined
  /** undefined: the program has not ended, or the jail could not be made and it never began. */
  exitCode: number | undefined
}>

/** `text`: one JSON object a line, the last perhaps cut off. Its reader is no agent: only bwrap writes there. */
export function readStatus(text: string): Said {
  const number = (key: string): number | undefined => {
    const [, digits] = new RegExp(`"${key}": (-?\\d+)`).exec(text) ?? []
    return digits === undefined ? undefined : Number(digits)
  }
  return { pid: number('child-pid'), exitCode: number('exit-code') }
}
