/** Everything that can go wrong with mail, in one table; docs/operations.md is printed from it. */

export type FaultKind =
  /** Closed by a person, or after 24 h. */
  | 'event'
  /** Closed by the daemon when its cause is gone. */
  | 'condition'

type Row = Readonly<{
  kind: FaultKind
  /** How soon a person should look, on a scale of the alerts' own: it is not a message's priority. */
  severity: 'critical' | 'warning'
  /** What it means, for docs/operations.md. */
  meaning: string
  /** What to do at 3 a.m., for docs/operations.md; the alert itself carries the command with its names filled in. */
  todo: string
}>

const row = (kind: FaultKind, severity: Row['severity'], meaning: string, todo: string): Row => ({ kind, severity, meaning, todo })

export const FAULTS = {
  'unmatched-file': row(
    'condition',
    'warning',
    'A file lies where mail is dropped or kept, and nothing in it or about it makes it a message.',
    'Rename it to end in .md if it is a message, move it away if it is not.',
  ),
  'unreadable-file': row('condition', 'warning', 'A file or folder cannot be read by the daemon.', 'Give it back its permissions with the chmod in the alert.'),
  'unsafe-file': row(
    'event',
    'critical',
    'A link, pipe, socket, device, folder or file of a foreign owner was put where a message belongs. It was not followed or opened.',
    'Look at who put it there (the alert names the owner); remove the held entry.',
  ),
  'too-large': row(
    'event',
    'warning',
    'A message or its front matter is over the limit of org.yaml.',
    'Send the bulk as an attachment, or raise limits in policies/org.yaml.',
  ),
  'bad-encoding': row(
    'event',
    'warning',
    'A message is not valid UTF-8 or has control characters in its front matter.',
    'Convert it with the iconv of the alert and release it.',
  ),
  'bad-front-matter': row(
    'event',
    'warning',
    'The front matter is empty, unclosed, or not the YAML that messages may use.',
    'Mend the line the alert names and release the file.',
  ),
  'bad-value': row('event', 'warning', 'A key of the front matter has a value it cannot have.', 'Mend the line the alert names and release the file.'),
  'unknown-key': row(
    'event',
    'warning',
    'The front matter has a key that does not exist; misspelt keys are never ignored.',
    'Correct it as the alert suggests, or begin it with x-.',
  ),
  'unknown-priority': row(
    'event',
    'warning',
    'The priority is none of the scheme in policies/priorities.yaml.',
    'Use one of the names listed, or map the word under aliases:.',
  ),
  'unknown-recipient': row(
    'event',
    'warning',
    'A message names no recipient, or one that does not exist.',
    'Correct the name as the alert suggests and release the file.',
  ),
  'unknown-sender': row(
    'event',
    'warning',
    'A file was dropped by a uid that is neither an agent nor a person.',
    'Add the person under policies/people/ or set accept_unknown_uids in org.yaml.',
  ),
  'not-permitted': row(
    'event',
    'warning',
    'The sender may not write to this recipient, or may not make this change.',
    'Widen may_write_to in the agent file if that is intended.',
  ),
  'forged-sender': row('event', 'critical', 'A message claims an origin that is not true.', 'Look at what the sender is doing: penny log and its run logs.'),
  'ref-reused': row('event', 'warning', 'A sender used the same ref for two different messages.', 'Give the second one a ref of its own and release it.'),
  'missing-attachment': row(
    'event',
    'warning',
    'A message names a file that did not appear within 10 s.',
    'Put the file, under the name that attach: has, beside it and release the message.',
  ),
  'priority-in-name': row(
    'event',
    'warning',
    'A file name reads like a priority, but its front matter does not say so; names carry no meaning on the way in.',
    'Set it where it counts: penny set ID priority=…',
  ),
  'abandoned-draft': row(
    'condition',
    'warning',
    'A temporary or hidden file has lain in a drop folder for 5 min and nobody is writing it.',
    'Rename it to end in .md to send it, or remove it.',
  ),
  loop: row(
    'event',
    'critical',
    'A thread, or a chain of runs each woken by the one before, passed 16 hops; or a thread passed 50 messages in an hour.',
    'Read penny thread ID; release the held message if the conversation is sound.',
  ),
  'stuck-new': row(
    'condition',
    'critical',
    'Messages were not claimed within the time of their priority.',
    'Wake the holder, pass the work on, or change the priority.',
  ),
  'stuck-cur': row(
    'condition',
    'critical',
    'Claimed messages were not finished within the time of their priority.',
    'Read progress with penny show ID; settle or release it.',
  ),
  overdue: row(
    'condition',
    'critical',
    'Messages passed the due date their sender set.',
    'Ask for the state with penny show ID; move the date with penny set ID due=…',
  ),
  'answered-open': row('condition', 'warning', 'The holder answered but did not close the task.', 'Settle it: penny settle ID done'),
  'blocked-cycle': row('condition', 'critical', 'Tasks wait for each other in a circle.', 'Unblock one of them: penny settle, or edit blocked_on.'),
  'status-conflict': row(
    'event',
    'warning',
    'Folder and front matter were both changed and disagree, or a change is not allowed from that state. The front matter won, or the change was undone.',
    'Look at penny log ID and set the status that is meant.',
  ),
  tampered: row(
    'event',
    'critical',
    'A holder changed part of a message that is not its to change; it was put back.',
    'Look at what the agent is doing: penny log ID.',
  ),
  'missing-message': row('event', 'critical', 'A message vanished before it was settled; it was put back.', 'Look at what the agent is doing: penny log ID.'),
  'run-failed': row(
    'event',
    'critical',
    'A run failed as often as it may; the task is failed.',
    'Read the run log, mend the runner, reopen with penny set ID status=open.',
  ),
  'workspace-full': row(
    'condition',
    'warning',
    'A mailbox holds as many messages as limits.backlog allows; more wait in the drop folder.',
    'Let the holder work it off, or raise limits.backlog.',
  ),
  'disk-full': row('condition', 'critical', 'The disk (or its inodes) is full; drops wait where they are until there is room.', 'Make room: df -h, df -i.'),
  'watch-limit': row(
    'condition',
    'warning',
    'The kernel allows no more file watches; mail is found by the sweep, up to 1.5 s later.',
    'sysctl fs.inotify.max_user_watches=524288',
  ),
  'canary-late': row(
    'condition',
    'critical',
    'The test message that goes through the whole path each minute did not arrive in 5 s.',
    'penny doctor tells which step is slow.',
  ),
  'clock-step': row('event', 'warning', 'The clock of this machine was stepped; deadlines go on by the monotonic clock.', 'Check chrony or ntpd.'),
  'config-invalid': row(
    'condition',
    'critical',
    'A change in policies/ cannot be used; what ran before runs on, but the daemon will not start again until this is mended.',
    'Mend the line the alert names.',
  ),
  'jail-unavailable': row(
    'condition',
    'critical',
    'The jail of an agent, or any jail at all, cannot be made; what should run in it is not started, and mail waits in new/.',
    'Install bubblewrap, or mend what the alert names; penny doctor starts a real jail and says more.',
  ),
  'provider-key': row(
    'condition',
    'critical',
    'There is no key for a model provider: its key file is missing, not private, not one word, or the provider refuses what lies in it. Nothing is sent there and requests wait.',
    'Put the right key into the file with the command of the alert; it counts at once, nothing has to be restarted.',
  ),
  'provider-refused': row(
    'condition',
    'critical',
    'A model provider refuses what only a person can mend: money or a limit of spending is used up, or the key is valid but may not do this. Agents get its answer as it is.',
    'Look at the account at the provider; penny gateway test asks it again and closes the alert when it answers.',
  ),
  'gateway-down': row(
    'condition',
    'critical',
    'The process of the model gateway does not run, or does not stay. It is started again and again; until then no agent reaches a model.',
    'penny gateway status says why, the log of the daemon more.',
  ),
  'over-budget': row(
    'condition',
    'warning',
    'An agent used its budget of today. What runs goes on; new runs of it wait until the day ends, in the time zone of org.yaml.',
    'Nothing, or raise budget: in the agent file; penny usage --by thread says what it was used for.',
  ),
  'context-high': row(
    'condition',
    'warning',
    'The context of an agent is nearly full: what it works on may be near a compaction. At 80 % it is told to write a checkpoint.',
    'Nothing; smaller tasks, or a smaller context_window: in its file, leave more room. It closes when the session begins anew or the message is settled.',
  ),
  'checkpoint-missing': row(
    'event',
    'warning',
    'A context was compacted, or is about to be, and its agent had not written home/checkpoint.md since it was told to. What it goes on with may lack decisions.',
    'Read what it sent last, sealed in .penny/checkpoints/, and tell the agent what it may have forgotten.',
  ),
} as const satisfies Record<string, Row>

export type FaultCode = keyof typeof FAULTS

export function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text)
}

/** One thing that went wrong: a code, one sentence a tired person understands, and a command that mends it. */
export type Fault = Readonly<{
  code: FaultCode
  /** What it is about: a file's path (escaped), a message id, a folder. With the code, the key of its alert. */
  about: string
  /** The agent or person concerned. */
  agent?: string
  sentence: string
  /** A command to paste, or a short imperative where no command can do it. */
  fix: string
  /** A condition that nobody looks for again: what a person closes stays closed. */
  foundOnce?: boolean
}>

/** A place in a text: 1-based line and column. */
export type Spot = Readonly<{ line: number; column: number }>

/** A refusal of a text: what is wrong where, before it is known whose text it is. */
export type Complaint = Readonly<{ code: FaultCode; spot: Spot | undefined; what: string; near?: string | undefined }>

export function describeComplaint(file: string, complaint: Complaint): string {
  const where = complaint.spot ? `${file}:${complaint.spot.line}:${complaint.spot.column}` : file
  const hint = complaint.near === undefined ? '' : ` (did you mean ${complaint.near}?)`
  return `${where}: ${complaint.what}${hint}`
}
