/** An office around the dispatcher: real files, real processes, and the other rooms' part done in the plainest way. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Config } from '../../src/core/config.ts'
import type { Event } from '../../src/core/event.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Changed, Letter } from '../../src/core/post.ts'
import { type Folder, folderOf, isSettled, isStatus, type Status, statusByFolder } from '../../src/core/status.ts'
import { formatFileName, layoutOf, type Mail, makeLedger, pinFolders } from '../../src/mailbox/index.ts'
import { realClock } from '../../src/system/clock.ts'
import { realDisk } from '../../src/system/disk.ts'
import { hostOf } from '../../src/system/host.ts'
import { makeIds } from '../../src/system/ids.ts'
import { chooseLease } from '../../src/system/lease.ts'
import { realSpawner } from '../../src/system/spawner.ts'
import type { Clock } from '../../src/system/types.ts'
import { createDispatcher, type Dispatcher, type WakeGiven } from '../../src/wake/index.ts'

export type RunnerShape = { notes?: boolean; concurrency?: number; timeoutMs?: number; maxAttempts?: number; command?: string[] }

export type Office = {
  root: string
  letters: Map<string, Letter>
  faults: Fault[]
  events: Event[]
  logged: string[]
  wake: { concurrency: number; staggerMs: number }
  given: WakeGiven
  /** A program of policies/runners/, written in sh, and the agent that it runs for. */
  agent: (name: string, script: string, shape?: RunnerShape) => Name
  /** A message in the agent's new/. */
  deliver: (to: string, shape?: Partial<Mail> & { body?: string }) => Mail
  /** A dispatcher as a daemon starts it. */
  open: () => Promise<Dispatcher>
  /** Where the message lies, and the status its file has. */
  find: (mail: Mail) => { folder: Folder; path: string; text: string; status: string | undefined } | undefined
  home: (agent: string, file: string) => string
  records: () => string[]
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Waits for what real processes do; 20 s is for a loaded machine. */
export async function until<T>(what: string, look: () => T | undefined | false | ''): Promise<T> {
  for (const start = performance.now(); performance.now() - start < 20_000; await pause(10)) {
    const found = look()
    if (found) return found
  }
  throw new Error(`not within 20 s: ${what}`)
}

const setStatus = (text: string, status: Status): string => text.replace(/^status: .*$/m, `status: ${status}`)

export function makeOffice(t: Test, clock: Clock = realClock): Office {
  // Not t.testdir(): that is removed before teardowns run, and runs would still be going on in it.
  const root = mkdtempSync(join(tmpdir(), 'penny-wake-'))
  chmodSync(root, 0o755)
  // The clock's timers keep no process alive; in the daemon its sockets do.
  const alive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(alive)
    rmSync(root, { recursive: true, force: true })
  })
  const layout = layoutOf(root)
  const disk = realDisk(undefined, chooseLease(undefined, root))
  const ledger = makeLedger()
  const known = new Map<MessageId, Mail>()
  const ids = makeIds(clock)
  const agents = new Map<string, object>()
  const people = new Map<string, object>([['operator', { name: 'operator' }]])
  for (const folder of [layout.private('runs'), layout.private('state'), `${root}/policies/runners`]) mkdirSync(folder, { recursive: true })

  const find: Office['find'] = (mail) => {
    for (const folder of ['new', 'cur', 'done'] as const) {
      const path = `${layout.folder(mail.holder, folder)}/${mail.file}`
      if (!existsSync(path)) continue
      const text = readFileSync(path, 'utf8')
      return { folder, path, text, status: /^status: (.*)$/m.exec(text)?.[1] }
    }
    return undefined
  }
  function agree(mail: Mail): void {
    const place = find(mail)
    if (!place) return
    if (mail.status !== null) {
      const written = isStatus(place.status) ? place.status : mail.status
      mail.status = written !== mail.status ? written : statusByFolder(place.folder, mail.status)
    }
    put(mail, mail.status === null ? place.folder : folderOf(mail.status))
  }
  function put(mail: Mail, folder: Folder): void {
    const place = find(mail)
    if (!place) return
    mail.folder = folder
    if (mail.status !== null) writeFileSync(place.path, setStatus(place.text, mail.status))
    renameSync(place.path, `${layout.folder(mail.holder, folder)}/${mail.file}`)
    if (mail.status === null ? folder === 'done' : isSettled(mail.status)) ledger.remove(mail.id)
    else ledger.add(mail)
  }

  const office: Office = {
    root,
    letters: new Map(),
    faults: [],
    events: [],
    logged: [],
    wake: { concurrency: 8, staggerMs: 0 },
    given: {
      clock,
      disk,
      ids,
      layout,
      ledger,
      pins: pinFolders(disk),
      spawner: realSpawner,
      bootId: 'boot-1',
      log: (level, what, fields) => void office.logged.push(`${level} ${what} ${JSON.stringify(fields ?? {})}`),
      config: () => ({ agents, people, org: { wake: office.wake, limits: { messageBytes: 8192 } } }) as unknown as Config,
      apply: async (change) => {
        const mail = known.get(change.id)
        if (!mail) return { outcome: 'gone' }
        agree(mail)
        const was = mail.status
        if (was === null || was === change.to) return { outcome: 'unchanged' }
        mail.status = change.to
        put(mail, folderOf(change.to))
        return { outcome: 'changed', was }
      },
      moveNote: async (id, to): Promise<Changed> => {
        const mail = ledger.get(id)
        if (!mail) return { outcome: 'gone' }
        if (find(mail)?.folder === to) return { outcome: 'unchanged' }
        put(mail, to)
        return { outcome: 'changed', was: 'open' }
      },
      lookAgain: async (id) => {
        const mail = known.get(id)
        if (mail) agree(mail)
        return mail?.status
      },
      submit: async (letter) => {
        if (!office.letters.has(letter.key)) office.letters.set(letter.key, letter)
        return ids.next()
      },
      raise: (fault) => void office.faults.push(fault),
      record: (event) => void office.events.push(event),
      identity: () => ({ as: undefined, logOwner: undefined, jail: undefined, gateway: undefined }),
      host: hostOf(process.env['PATH'] ?? ''),
      clear: () => undefined,
      keptFor: () => ({ checkpoint: undefined, sealed: undefined }),
      runnerPath: (program) => `${root}/policies/runners/${program}`,
      wroteIt: (agent, id) => known.get(id)?.from === agent,
      meant: (_, word) => known.get(word as MessageId)?.id,
      environment: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
    },
    agent: (name, script, shape = {}) => {
      const path = `${root}/policies/runners/${name}.sh`
      writeFileSync(path, `#!/bin/sh\n${script}\n`)
      chmodSync(path, 0o755)
      for (const folder of ['new', 'cur', 'done', 'home', 'runs', 'sent', 'attachments']) mkdirSync(`${root}/workspaces/${name}/${folder}`, { recursive: true })
      agents.set(name, { name, runner: { command: [`./${name}.sh`], notes: false, concurrency: 1, timeoutMs: 60_000, maxAttempts: 3, ...shape } })
      return name as Name
    },
    deliver: (to, { body = 'Please do it.\n', ...shape } = {}) => {
      const id = ids.next()
      const subject = shape.subject ?? 'a task'
      const rank = shape.rank ?? 3
      const status = shape.status === undefined ? 'open' : shape.status
      const mail = {
        id,
        holder: to,
        kind: status === null ? 'note' : 'task',
        from: 'operator',
        via: 'person',
        origin: undefined,
        subject,
        thread: id,
        hops: 0,
        inReplyTo: undefined,
        drop: id,
        reminder: false,
        createdMs: clock.now(),
        file: formatFileName(rank, 'normal', id, subject),
        folder: 'new',
        priority: 'normal',
        rank,
        due: undefined,
        expires: undefined,
        sinceMs: clock.now(),
        updated: '',
        earlier: [],
        blockedOn: [],
        answered: undefined,
        attempts: 0,
        retryAtMs: undefined,
        mark: undefined,
        ...shape,
        status,
      } as unknown as Mail
      known.set(id, mail)
      const text = `---\nid: ${id}\nfrom: ${mail.from}\nsubject: ${subject}\n${status === null ? 'kind: note\n' : `status: ${status}\n`}---\n${body}`
      if (existsSync(layout.folder(mail.holder, 'new'))) {
        writeFileSync(`${layout.folder(mail.holder, mail.folder)}/${mail.file}`, text)
        ledger.add(mail)
      }
      return mail
    },
    open: async () => {
      const dispatcher = createDispatcher(office.given)
      await dispatcher.recover()
      t.teardown(() => dispatcher.stop(0))
      return dispatcher
    },
    find,
    home: (agent, file) => (existsSync(`${root}/workspaces/${agent}/home/${file}`) ? readFileSync(`${root}/workspaces/${agent}/home/${file}`, 'utf8') : ''),
    records: () => readdirSync(layout.private('runs')),
  }
  return office
}
