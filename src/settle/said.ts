/**
 * What a holder wrote into the front matter of a message that is not settled, and which stands nowhere but in its file: kept beside,
 * so that a message which vanishes comes back with it. An agent that lost its context reads there how far it was.
 */
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Value } from '../core/message.ts'
import { digestOf, type Layout, listOrNothing } from '../mailbox/index.ts'
import type { HolderPart } from '../message/index.ts'
import type { Disk, Ids, Log } from '../system/types.ts'

type Words = Readonly<Record<string, Value>>

export type Said = Readonly<{
  /** As it was agreed on; nothing said is kept as nothing. */
  keep: (id: MessageId, words: Pick<HolderPart, 'result' | 'progress' | 'extra'>) => void
  of: (id: MessageId) => Words
  forget: (id: MessageId) => void
  /** A crash may have come between the settling of a message and the end of what was kept for it. */
  forgetBut: (isOpen: (id: MessageId) => boolean) => void
}>

type SaidGiven = Readonly<{ disk: Disk; layout: Layout; ids: Ids; log: Log }>

export function makeSaid({ disk, layout, ids, log }: SaidGiven): Said {
  const folder = layout.private('said')
  /** What is on the disk; '' where that was not looked at since the start. */
  let known: Map<MessageId, string> | undefined

  const kept = (): Map<MessageId, string> => {
    known ??= new Map(listOrNothing(disk, folder).flatMap(({ name }) => (isMessageId(name) ? [[name, '']] : [])))
    return known
  }

  function forget(id: MessageId): void {
    if (kept().delete(id)) disk.unlink(`${folder}/${id}`)
  }

  function keep(id: MessageId, words: Words): void {
    if (Object.keys(words).length === 0) return forget(id)
    const text = JSON.stringify(words)
    const mark = digestOf(text)
    if (kept().get(id) === mark) return
    const staged = `${layout.staging}/said.${ids.secret()}`
    disk.create(staged, text, 0o600)
    disk.rename(staged, `${folder}/${id}`)
    kept().set(id, mark)
  }

  /** The message itself is agreed on: this is for the day on which it vanishes, so nothing waits for it. */
  function tryTo(what: string, id: MessageId, act: () => void): void {
    try {
      act()
    } catch (cause) {
      log('warn', `what a holder wrote could not be ${what}`, { id, why: String(cause) })
    }
  }
  const forgetSafely = (id: MessageId): void => tryTo('forgotten', id, () => forget(id))

  return {
    keep: (id, { result, progress, extra }) => {
      const words = { ...extra, ...(result === undefined ? {} : { result }), ...(progress === undefined ? {} : { progress }) }
      tryTo('kept beside its message', id, () => keep(id, words))
    },
    of: (id) => {
      let words: Words = {}
      // It is not waited for until it is on the medium: a power cut may have left it empty.
      tryTo('read', id, () => {
        if (kept().has(id)) words = JSON.parse(disk.readFile(`${folder}/${id}`).toString('utf8')) as Words
      })
      return words
    },
    forget: forgetSafely,
    forgetBut: (isOpen) => {
      for (const id of kept().keys()) if (!isOpen(id)) forgetSafely(id)
    },
  }
}
