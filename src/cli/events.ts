import type { Entry } from '../core/event.ts'
import { needDaemon } from './client.ts'
import { type Command, expectWords, flag, textOption } from './command.ts'
import { EXIT, Refusal } from './exit.ts'
import { entriesSince, followJournal } from './history.ts'
import { say, sayJson } from './print.ts'
import { rootOf } from './root.ts'
import { concerns, sentenceOf } from './sentence.ts'
import { parseSince, pause } from './times.ts'

const LOOK_EACH_MS = 200

export const command: Command = {
  summary: 'the journal: what happened',
  usage: ['events [-f] [--since T] [--agent A]'],
  examples: [
    ['events', 'of the last 24 hours'],
    ['events -f', 'goes on as things happen'],
    ['events --since 2h --agent legal', ''],
  ],
  options: {
    follow: { type: 'boolean', short: 'f', about: 'go on as things happen' },
    since: { type: 'string', value: 'T', about: 'a duration (2h), a date or an RFC 3339 time; default: 24h, with -f: now' },
    agent: { type: 'string', value: 'A', about: 'only what concerns this agent or person' },
  },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const agent = textOption(call, 'agent')
    const print = (entry: Entry): void => {
      if (agent !== undefined && !concerns(entry, agent)) return
      if (call.json) sayJson(call, entry)
      else say(call, `${entry.at}  ${sentenceOf(entry)}`)
    }
    const since = textOption(call, 'since')
    const following = flag(call, 'follow')
    const sinceMs = parseSince(since ?? '24h', Date.now(), 'events')
    try {
      // Follow first, then read: what is written in between is not missed, and told once.
      const news = following ? followJournal(root) : undefined
      if (since !== undefined || !following) for (const entry of await entriesSince(root, sinceMs)) print(entry)
      for (; news; await pause(LOOK_EACH_MS)) for (const entry of news()) print(entry)
    } catch (cause) {
      if (!following || !(cause instanceof Refusal && cause.exit === EXIT.notPermitted)) throw cause
      await listen(root, since === undefined ? undefined : new Date(sinceMs).toISOString(), print)
    }
    return EXIT.ok
  },
}

/** An operator who may not read the journal may ask the daemon. */
async function listen(root: string, since: string | undefined, print: (entry: Entry) => void): Promise<void> {
  const daemon = await needDaemon(root)
  await daemon.ask({ verb: 'journal', past: since !== undefined, follow: true, ...(since === undefined ? {} : { since }) }, (line) => print(line as Entry))
}
