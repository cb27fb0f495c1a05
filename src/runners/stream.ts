/** What `claude -p --output-format stream-json` tells: a JSON object a line. */

/** Its last line. */
export type Result = Readonly<{ text: string; isError: boolean; subtype: string; status: number | undefined }>

export type Stream = Readonly<{
  add: (chunk: Buffer) => void
  /** Whether its session began. */
  begun: () => boolean
  result: () => Result | undefined
}>

const NEWLINE = 10

export function readStream(): Stream {
  let pieces: Buffer[] = []
  let begun = false
  let result: Result | undefined

  function take(line: string): void {
    const event = fieldsIn(line)
    if (event?.['type'] === 'system' && event['subtype'] === 'init') begun = true
    if (event?.['type'] !== 'result') return
    const { result: text, is_error: isError, subtype, api_error_status: status } = event
    result = {
      text: typeof text === 'string' ? text : '',
      isError: isError === true,
      subtype: String(subtype),
      status: typeof status === 'number' ? status : undefined,
    }
  }

  return {
    add: (chunk) => {
      let rest = chunk
      for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
        take(Buffer.concat([...pieces, rest.subarray(0, at)]).toString('utf8'))
        pieces = []
        rest = rest.subarray(at + 1)
      }
      if (rest.length > 0) pieces.push(rest)
    },
    begun: () => begun,
    result: () => result,
  }
}

function fieldsIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    // It writes plain lines, too, where something is wrong: they are in the log.
    return undefined
  }
}
