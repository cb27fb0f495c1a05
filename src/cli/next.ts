import { watch } from 'node:fs'
import { type Call, type Command, expectWords, flag, textOption } from './command.ts'
import { EXIT } from './exit.ts'
import { readMessage, type Shown, shownOf } from './head.ts'
import { claimNext, needSeat, wayOf } from './hold.ts'
import type { Place } from './mail.ts'
import { tell } from './print.ts'
import type { Seat } from './root.ts'
import { viewMessage } from './view.ts'

export const command: Command = {
  summary: 'claims the most urgent message and prints it',
  usage: ['next [--wait] [--agent A]'],
  examples: [
    ['next', 'exit 1: no mail'],
    ['next --wait', 'waits until there is some'],
    ['next --agent legal', 'the operator, in the name of legal'],
  ],
  options: {
    wait: { type: 'boolean', about: 'wait until there is mail' },
    agent: { type: 'string', value: 'A', about: 'whose mailbox (for the operator)' },
  },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const seat = needSeat(call)
    const way = await wayOf(call)
    if (way.kind === 'files') {
      const place = flag(call, 'wait') ? await waitForMail(seat) : claimNext(seat)
      return show(call, place && (await readMessage(place.path)), place)
    }
    const { path, text } = await way.daemon.ask({ verb: 'next', agent: textOption(call, 'agent') ?? seat.name, wait: flag(call, 'wait') })
    return show(call, text === undefined ? undefined : await shownOf(Buffer.from(text)), { holder: seat.name, folder: 'cur', path })
  },
}

function show(call: Call, shown: Shown | undefined, where: Readonly<{ holder?: string; folder?: string; path?: string | undefined }> | undefined): number {
  if (!shown) {
    tell(call, 'no mail')
    return EXIT.no
  }
  viewMessage(call, shown, { holder: where?.holder, folder: where?.folder, path: where?.path })
  return EXIT.ok
}

/** The watch is a hint; a look each second is the truth. */
function waitForMail(seat: Seat): Promise<Place> {
  return new Promise((resolve, reject) => {
    const watcher = watch(`${seat.workspace}/new`)
    const look = (): void => {
      try {
        const place = claimNext(seat)
        if (!place) return
        clearInterval(timer)
        watcher.close()
        resolve(place)
      } catch (cause) {
        clearInterval(timer)
        watcher.close()
        reject(cause instanceof Error ? cause : new Error(String(cause)))
      }
    }
    const timer = setInterval(look, 1000)
    watcher.on('change', look)
    watcher.on('error', () => undefined)
    look()
  })
}
