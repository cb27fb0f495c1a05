import { SEEN_MS } from '../lib/stage.mjs'

export const title = 'The plain walk: a file goes in, an answer comes out'

const STRAY = 'spool/legal/notes.txt'
const SUBJECT = 'Review the operator agreement'
/** What is no message is given 10 s, in case a message comes that names it; and then 2 s as everything else. */
const STRAY_MS = 10_000 + SEEN_MS
/** A run of handle.sh takes some tens of milliseconds; other runs may be before it, 2 s apart. */
const RUN_MS = 15_000

export async function play(stage) {
  const known = { legal: stage.idsOf('legal'), operator: stage.idsOf('operator') }
  const review = [`# ${SUBJECT}`, '', 'Section 7 limits liability to USD 10,000. Is that enough? We sign on 2027-01-15.', '', '- [ ] liability', '- [x] term']
  stage.write('review.md', review)
  stage.write('notes.txt', ['Notes on section 7', '', 'The other side would go up to USD 250,000.'])

  stage.prose('By mistake, first: a file for legal whose name does not end in .md. We come back to it at the end.')
  await stage.type('cp $DESK/notes.txt spool/legal/')
  const stray = performance.now()

  stage.prose("A letter is a file, and sending is copying. This one goes into legal's box.")
  await stage.type('cat $DESK/review.md')
  const dropped = performance.now()
  await stage.type('cp $DESK/review.md spool/legal/')
  const { seen: task, ms } = await stage.until("the letter is in legal's mailbox", SEEN_MS, () => stage.arrived('legal', SUBJECT, known.legal), dropped)
  stage.checked(`in legal's mailbox after ${ms} ms, with an id of its own: …${task.short}`)

  stage.prose(`legal has a runner, policies/runners/handle.sh: a small program without a model. The daemon claimed the letter for it,
    started it with the letter on its standard input, and sends what it printed back to you.`)
  const answer = await stage.until('the answer is in your mailbox', RUN_MS, () => stage.noteAbout('operator', task.id, `Re: ${SUBJECT}`))
  stage.expect(!known.operator.has(answer.seen.id) && answer.seen.head.from === 'legal', 'the answer is not from legal')
  await stage.until('your mirror says done', SEEN_MS, () => stage.mirror('operator', task.id)?.head.status === 'done')
  await stage.type(`cat workspaces/operator/new/*${answer.seen.short}*`)
  await stage.type(`grep '^status' workspaces/operator/sent/*${task.short}*`)
  stage.checked('the task is done in your sent/, and nobody had to be asked')

  const history = await stage.type(`penny log ${task.short}`)
  for (const step of ['delivered to legal', 'open → in_progress', 'in_progress → done'])
    stage.expect(history.includes(step), `penny log does not say "${step}"`)

  stage.prose('You have read the answer:')
  await stage.type(`mv workspaces/operator/new/${answer.seen.file} workspaces/operator/done/`)
  stage.later(() => mendStray(stage, stray, known))
}

async function mendStray(stage, dropped, known) {
  stage.prose('The file with the wrong ending was given ten seconds, in case a message came that names it as an attachment. Then:')
  const named = () => stage.alertOn('unmatched-file', STRAY)
  const alert = (await stage.until(`an alert names ${STRAY}`, STRAY_MS, named, dropped)).seen
  await stage.type(`ls spool/alerts/${alert.file}`)
  stage.alert(alert)
  stage.prose('Every alert brings the command that mends it. So:')
  await stage.type(alert.fix)
  const { seen: task } = await stage.until('the notes are delivered', SEEN_MS, () => stage.arrived('legal', 'Notes on section 7', known.legal))
  await stage.until('the alert closes by itself', SEEN_MS, () => !named())
  await stage.until('the notes are handled', RUN_MS, () => stage.mirror('operator', task.id)?.head.status === 'done')
  const answer = await stage.until('the answer to the notes', SEEN_MS, () => stage.noteAbout('operator', task.id, 'Re: Notes on section 7'))
  await stage.type(`mv workspaces/operator/new/${answer.seen.file} workspaces/operator/done/`)
  stage.checked('delivered, handled, answered; the alert closed by itself')
}
