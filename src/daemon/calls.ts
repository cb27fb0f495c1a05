/** Calls people for urgent mail: the commands of `people/<name>.md: notify:`, as those for alerts. */
import { makeNotices, type Notices } from '../alert/index.ts'
import type { Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { counted } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'
import type { Clock } from '../system/types.ts'

export type Calls = Readonly<{
  /** A message lies in its mailbox: its person is called if it has the scheme's first priority. */
  placed: (mail: Mail, text: string) => void
  /** Tells of those that were too many for a minute; call it every second or two. */
  sweep: () => void
}>

export function createCalls(clock: Clock, config: () => Config, run: (argv: readonly string[], text: string) => void): Calls {
  const notices = new Map<Name, Notices>()

  function noticesOf(person: Name): Notices {
    const found = notices.get(person)
    if (found) return found
    const tellMore = (count: number): string => `${counted(count, 'more urgent message', 'more urgent messages')} came after the last one you were told of.\n`
    const made = makeNotices(clock, () => config().people.get(person)?.notify ?? [], run, tellMore)
    notices.set(person, made)
    return made
  }

  return {
    placed: ({ holder, from, priority }, text) => {
      const { people, priorities } = config()
      if (priority === priorities.rules[0]?.name && (people.get(holder)?.notify.length ?? 0) > 0) noticesOf(holder).send(text, from)
    },
    sweep: () => {
      for (const one of notices.values()) one.settle()
    },
  }
}
