/** What is told of drops that stay where they are: one alert of each, closed when what it says is over. */
import { shellWord, showSafely } from '../core/text.ts'
import { agentOf, type Desk, whoseOf } from './desk.ts'
import type { Look } from './look.ts'
import type { IntakeGiven } from './types.ts'

export type Telling = Readonly<{
  alert: (desk: Desk, name: string, verdict: Extract<Look, { see: 'alert' }>, uid: number) => void
  close: (desk: Desk, name: string) => void
  setAside: (desk: Desk, name: string, cause: unknown, failures: number) => void
}>

const aboutOf = (desk: Desk, name: string): string => `${desk.folder.shown}/${showSafely(name)}`

export function createTelling({ raise, clear, ownerOf, log }: Pick<IntakeGiven, 'raise' | 'clear' | 'ownerOf' | 'log'>): Telling {
  return {
    alert: (desk, name, { code, sentence, fix }, uid) => {
      const known = desk.waiting.get(name)
      if (!known || known.alerted) return
      known.alerted = code
      raise({ code, about: aboutOf(desk, name), ...whoseOf(desk.folder, uid, ownerOf), sentence, fix })
    },
    close: (desk, name) => {
      const known = desk.waiting.get(name)
      if (known?.alerted) clear(known.alerted, aboutOf(desk, name))
      if (known) known.alerted = undefined
    },
    setAside: (desk, name, cause, failures) => {
      const about = aboutOf(desk, name)
      const what = cause instanceof Error ? cause.message : String(cause)
      log('error', 'drop set aside', { file: about, why: what, failures, stack: cause instanceof Error && !('code' in cause) ? cause.stack : undefined })
      raise({
        code: 'unreadable-file',
        about,
        ...agentOf(desk.folder),
        sentence: `${about} cannot be taken: ${showSafely(what)}. It stays where it is and is tried again.`,
        fix: `ls -la ${shellWord(desk.folder.shown)}`,
      })
    },
  }
}
