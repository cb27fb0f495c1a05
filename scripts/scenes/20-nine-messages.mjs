import { AGREE_MS, SEEN_MS } from '../lib/stage.mjs'

export const title = 'Nine messages stuck for ninety minutes'

/** Deadlines are looked at at least once a minute. */
const LATE_MS = 60_000 + SEEN_MS

/** What was dropped where; where it must go; which alert must fire. `lines` are the whole file. */
const NINE = [
  { file: 'operator-agreement-P1.md', box: 'ceo', says: '-', to: 'ceo', priority: 'normal', alert: 'priority-in-name', subject: 'The operator agreement' },
  { file: 'outage-status-P1.md', box: '', says: 'urgent', to: 'backend', priority: 'urgent', alert: 'priority-in-name', subject: 'Status of the outage' },
  { file: 'wire-approval-P1.md', box: '', says: '-', alert: 'unknown-recipient', subject: 'Approve the wire' },
  { file: 'contract-redline-P1.md', box: 'sales', says: 'P1', alert: 'unknown-priority', subject: 'Redline of the contract' },
  { file: 'board-deck-P1.md', by: 'pmo', says: 'high', to: 'ceo', priority: 'high', alert: 'priority-in-name', subject: 'The deck for the board' },
  { file: 'press-inquiry-urgent.md', box: 'press', says: 'urgent', to: 'press', priority: 'urgent', subject: 'A journalist asks' },
  {
    file: 'customer-refund-urgent.md',
    box: 'sales',
    says: '-',
    to: 'sales',
    priority: 'normal',
    alert: 'priority-in-name',
    subject: 'Refund for customer 1182',
  },
  { file: 'key-rotation-urgent.md', box: '', says: 'prioirty', alert: 'unknown-key', subject: 'Rotate the key' },
  { file: 'payroll-exception-urgent.md', by: 'pmo', says: '-', to: 'ceo', priority: 'normal', alert: 'priority-in-name', subject: 'An exception for payroll' },
]
/** What the editor must do to each held file; which mailbox it then reaches. */
const MENDING = [
  { file: 'wire-approval-P1.md', why: 'It says nobody.', script: '1s/^/---\\nto: ceo\\n---\\n/', to: 'ceo' },
  { file: 'contract-redline-P1.md', why: 'P1 is no word of policies/priorities.yaml.', script: 's/P1/urgent/', to: 'sales' },
  { file: 'key-rotation-urgent.md', why: 'A key is misspelt.', script: 's/prioirty/priority/', to: 'backend' },
]
const OF_THE_CEO = NINE.filter(({ to }) => to === 'ceo').map(({ subject }) => subject)
const HOLDERS = ['ceo', 'backend', 'sales', 'press', 'talent']

export async function play(stage) {
  for (const { file, alert } of NINE) if (alert) stage.clearHeld(alert, file)
  const known = Object.fromEntries(HOLDERS.map((holder) => [holder, stage.idsOf(holder)]))
  const arrived = (holder, subject) => stage.arrived(holder, subject, known[holder])
  stage.prose(`One program marked what was pressing with -P1 in the file's name, another looked for -urgent. Five and four messages lay for
    ninety minutes between them: every program worked, nobody was told. Here are the nine again, dropped in boxes, in an agent's outbox and in
    the spool's root, with a priority, without, and with a misspelt one. None may lie unseen for more than 2 seconds.`)
  await dropLateTask(stage)
  await dropNine(stage, arrived)
  await setPriority(stage, arrived)
  await mendHeld(stage, arrived)
  await workOff(stage, known)
  stage.later(() => meetDeadline(stage, arrived))
}

async function dropLateTask(stage) {
  stage.prose('First a task for talent that is due in six seconds and that nobody will do. We come back to it at the end.')
  await stage.type(`printf '%s\\n' --- "due: $(date -u -d '6 seconds' +%FT%TZ)" --- 'Count the chairs' > spool/talent/chairs.md`)
}

async function dropNine(stage, arrived) {
  stage.prose('Now the nine. Two of them come from the agent pmo, which knows its outbox and nothing else.')
  const rows = []
  const notes = []
  const began = Date.now()
  let slowest = 0
  for (const one of NINE) {
    const path = one.by ? `workspaces/${one.by}/outbox/${one.file}` : `spool/${one.box ? `${one.box}/` : ''}${one.file}`
    const when = Date.now()
    const dropped = performance.now()
    if (one.by) await stage.type(`cat > ../outbox/${one.file} <<'END'\n${textOf(one).join('\n')}\nEND`, { as: one.by })
    else {
      stage.write(one.file, textOf(one))
      await stage.type(`cp $DESK/${one.file} ${path.slice(0, -one.file.length)}`)
    }
    const what = `${path} is ${one.to ? `delivered to ${one.to}` : 'held'}${one.alert ? ` with an alert ${one.alert}` : ''}`
    const { seen, ms } = await stage.until(what, SEEN_MS, () => outcome(stage, one, path, when, arrived), dropped)
    slowest = Math.max(slowest, ms)
    rows.push([
      one.file,
      one.by ? `${one.by}/outbox/` : `spool/${one.box ? `${one.box}/` : ''}`,
      one.says,
      one.to ? `${one.to}/new/${one.priority}` : 'spool/held/',
      `${ms} ms`,
    ])
    notes.push(seen.alert)
  }
  const agreed = stage.alertOn('priority-in-name', 'press-inquiry-urgent.md', began)
  stage.expect(!agreed, 'press-inquiry-urgent.md says urgent in its name and in its text, and is alerted all the same')
  stage.table(['FILE', 'DROPPED IN', 'PRIORITY:', 'WENT TO', 'AFTER'], rows, notes)
  stage.checked(`all nine delivered or held, each with its alert where its name or text is wrong, the slowest after ${slowest} ms`)
}

/** The front matter that the message has, if any. A refund is plain text, as people write it. */
function textOf({ box, by, says, to, subject }) {
  const head = []
  if (by || (!box && to)) head.push(`to: ${to}`)
  if (says === 'prioirty') head.push('to: backend', 'prioirty: urgent')
  else if (says !== '-') head.push(`priority: ${says}`)
  return head.length > 0 ? ['---', ...head, '---', subject] : [subject]
}

/** Everything that must have become of it, or undefined. */
function outcome(stage, one, path, when, arrived) {
  const alert = one.alert && stage.alertOn(one.alert, path, when)
  const letter = one.to && arrived(one.to, one.subject)
  if ((one.alert && !alert) || (one.to && !letter)) return undefined
  if (letter) stage.expect(letter.head.priority === one.priority, `${path} was delivered with priority ${letter.head.priority} instead of ${one.priority}`)
  return { alert, letter }
}

async function setPriority(stage, arrived) {
  stage.prose("Priority is what the front matter says, and `ls` shows the order of work. The exception for payroll is the ceo's last:")
  const path = 'workspaces/pmo/outbox/payroll-exception-urgent.md'
  const { id } = arrived('ceo', 'An exception for payroll')
  await stage.type('ls workspaces/ceo/new')
  stage.prose('Its alert says which command mends that:')
  const since = performance.now()
  await stage.type(stage.alertOn('priority-in-name', path).fix)
  const first = () => stage.letter('ceo', id)?.file.startsWith('1-urgent.')
  const { ms } = await stage.until('the payroll exception becomes the first in ceo/new', SEEN_MS, first, since)
  const listed = await stage.type('ls workspaces/ceo/new')
  // Mail of a demo that was cut off may lie there too.
  const ours = listed.split('\n').filter((name) => OF_THE_CEO.some((subject) => name.includes(arrived('ceo', subject).id)))
  stage.expect(ours.length === OF_THE_CEO.length && ours[0].includes(id), 'the payroll exception is not before the other two in ceo/new')
  await stage.until("pmo's mirror says urgent", AGREE_MS, () => stage.mirror('pmo', id)?.head.priority === 'urgent')
  stage.checked(`it was the first ${ms} ms later, and its sender pmo sees the same in its sent/`)
}

async function mendHeld(stage, arrived) {
  stage.prose(
    'The three held files lie in spool/held/, unchanged, each with its reason beside it. Their alerts say: edit, then release. Our editor here is sed.',
  )
  for (const { file, why, script, to } of MENDING) {
    const { box, subject, alert } = NINE.find((one) => one.file === file)
    const path = `spool/${box ? `${box}/` : ''}${file}`
    const { fix } = stage.alertOn(alert, path)
    stage.write('mend.sed', [script])
    stage.prose(`${file}: ${why}`)
    await stage.type('cat $DESK/mend.sed')
    await stage.type(`EDITOR="sed -i -f $DESK/mend.sed"\n${fix}`)
    await stage.until(`${file} is delivered to ${to} after its release`, SEEN_MS, () => arrived(to, subject))
    await stage.until(`the alert on ${file} closes`, SEEN_MS, () => !stage.alertOn(alert, path))
  }
  stage.checked('all three are delivered, and their alerts closed by themselves')
}

async function meetDeadline(stage, arrived) {
  stage.prose('The task for talent that was due in six seconds: nobody asked for it, and still:')
  const { id } = arrived('talent', 'Count the chairs') ?? {}
  stage.expect(id, 'the task for talent was not delivered')
  const { seen } = await stage.until('an alert says that it is overdue', LATE_MS, () => stage.alertOn('overdue', id))
  stage.alert(seen)
  const listed = await stage.type(seen.fix)
  stage.expect(listed.includes('Count the chairs'), 'penny tasks overdue does not list it')
  const note = () => stage.noteAbout('talent', id, 'Overdue: Count the chairs')
  await stage.until('talent is told', SEEN_MS, note)
  stage.checked("it was said without anybody's asking, and talent was told too, in its new/")
  stage.prose('An alert on a condition closes by itself when the condition is gone:')
  await stage.type('mv ../new/* ../done/', { as: 'talent' })
  await stage.until('the overdue alert closes by itself', LATE_MS, () => !stage.alertOn('overdue', 'talent'))
  await stage.type('penny alerts')
}

async function workOff(stage, known) {
  stage.prose('The holders do their work. One mv each, and every sender sees it in its sent/.')
  for (const holder of HOLDERS.filter((one) => one !== 'talent')) {
    const mine = stage.idsOf(holder)
    await stage.type('mv ../new/* ../done/', { as: holder })
    const settled = () => [...mine].every((id) => known[holder].has(id) || ['done', undefined].includes(stage.letter(holder, id)?.head.status))
    await stage.until(`what ${holder} moved to done/ says done`, SEEN_MS, settled)
  }
  stage.prose('What is wrong with a name is an event: its alert is closed by you, when you have read it.')
  await stage.type('mv spool/alerts/priority-in-name.* spool/alerts/done/')
}
