import { AGREE_MS, SEEN_MS } from '../lib/stage.mjs'

export const title = 'Two systems, zero integration'

const HOLDER = 'sales'

export async function play(stage) {
  stage.prose(`The work went over a message bus, its status stood on a task board, and somebody was to keep the two in step. Nobody was. The
    answer lay in a mailbox for two days while the board said "open". Here the message is the task: one file, its status in it and nowhere else.`)
  await answeredAndClosed(stage)
  await answeredOnly(stage)
}

async function answeredAndClosed(stage) {
  const task = await send(stage, 'quote.md', 'A quote for 40 seats')
  const X = task.file
  await agree(stage, task, 'open', 'new')

  stage.prose('sales takes it, by moving the file:')
  await change(stage, task, 'in_progress', 'cur', `mv ../new/${X} ../cur/`)

  stage.prose('sales must wait and writes so into the file, with any editor; here sed:')
  await change(stage, task, 'blocked', 'cur', `sed -i 's/^status: .*/status: blocked\\nprogress: the list price is found, discount to be allowed/' ../cur/${X}`)
  await stage.type(`grep '^progress' workspaces/operator/sent/*${task.short}*`)

  stage.prose('It goes on:')
  await change(stage, task, 'in_progress', 'cur', `sed -i 's/^status: .*/status: in_progress/' ../cur/${X}`)

  stage.prose('sales answers, and closes in the same act, with `settles: done`:')
  const answer = `cat > ../outbox/answer.md <<'END'\n---\nto: operator\nin_reply_to: ${task.id}\nsettles: done\n---\n40 seats are USD 4,000.\nEND`
  await change(stage, task, 'done', 'done', answer)
  const reply = await stage.until('the answer is in your mailbox', SEEN_MS, () => stage.noteAbout('operator', task.id, '40 seats are USD 4,000.'))
  await stage.type(`tail -n 1 workspaces/operator/new/${reply.seen.file}; mv workspaces/operator/new/${reply.seen.file} workspaces/operator/done/`)
}

async function answeredOnly(stage) {
  stage.prose('And what went wrong then: somebody answers, and forgets the board.')
  const task = await send(stage, 'terms.md', 'Terms of payment for 40 seats')
  await change(stage, task, 'in_progress', 'cur', `mv ../new/${task.file} ../cur/`)
  const when = performance.now()
  await stage.type(`cat > ../outbox/answer.md <<'END'\n---\nto: operator\nin_reply_to: ${task.id}\n---\nThirty days net.\nEND`, { as: HOLDER })
  const subject = `answered, not closed: ${task.head.subject}`
  const flagged = await stage.until('sales is told that it answered without closing', SEEN_MS, () => stage.noteAbout(HOLDER, task.id, subject), when)
  await stage.until(
    'task and mirror name the answer',
    SEEN_MS,
    () => stage.letter(HOLDER, task.id)?.head.answered && stage.mirror('operator', task.id)?.head.answered,
  )
  await stage.type(`grep -E '^(status|answered)' workspaces/operator/sent/*${task.short}*`)
  await stage.type(`tail -n 1 ../new/${flagged.seen.file}`, { as: HOLDER })
  stage.checked(`flagged ${flagged.ms} ms after the answer: in the task, in your mirror, and to sales. After a minute it is an alert (answered-open)`)

  stage.prose('sales does as it is told:')
  await change(stage, task, 'done', 'done', `sed -i 's/^status: .*/status: done/' ../cur/${task.file}; mv ../new/${flagged.seen.file} ../done/`)
  const thread = await stage.type(`penny thread ${task.short}`)
  stage.expect(thread.includes('[done]'), 'penny thread does not say done')
  const answer = stage.noteAbout('operator', task.id, 'Thirty days net.')
  stage.expect(answer, 'the answer is not in your mailbox')
  await stage.type(`mv workspaces/operator/new/${answer.file} workspaces/operator/done/`)
}

async function send(stage, file, subject) {
  const known = stage.idsOf(HOLDER)
  stage.write(file, [subject, '', 'What may we tell the customer?'])
  await stage.type(`cp $DESK/${file} spool/${HOLDER}/`)
  return (await stage.until(`${file} is in ${HOLDER}/new`, SEEN_MS, () => stage.arrived(HOLDER, subject, known))).seen
}

async function change(stage, task, status, folder, line) {
  const since = performance.now()
  await stage.type(line, { as: HOLDER })
  await agree(stage, task, status, folder, since)
}

/** File, folder, the sender's mirror and `penny tasks` say the same, soon after `since`. */
async function agree(stage, task, status, folder, since = performance.now()) {
  const what = `the file, its folder and your sent/ all say ${status}`
  const all = () => {
    const letter = stage.letter(HOLDER, task.id)
    return letter?.folder === folder && letter.head.status === status && stage.mirror('operator', task.id)?.head.status === status
  }
  const { ms } = await stage.until(what, AGREE_MS, all, since)
  const line = `penny tasks thread:${task.short} status:${status}`
  const listed = await stage.type(line)
  stage.expect(listed.includes(task.short), `\`${line}\` does not list it`)
  stage.checked(`ls: ${HOLDER}/${folder}/ · file: ${status} · your sent/: ${status} · penny tasks: ${status} · agreed after ${ms} ms`)
}
