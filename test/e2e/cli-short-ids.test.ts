import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, type Organisation, organisation, REACHABLE } from './driver.ts'
import { heldFiles, type Letter, lettersOf, message, sentBy, until } from './files.ts'

async function task(org: Organisation, from: string, to: string, subject: string): Promise<Letter> {
  org.drop(`workspaces/${from}/outbox/${subject}.md`, message({ to, subject }))
  return until(subject, () => lettersOf(org.root, to).find((one) => one.head.get('subject') === subject))
}
const blockedOn = (org: Organisation, holder: string, id: string): string | undefined =>
  lettersOf(org.root, holder)
    .find((one) => one.id === id && one.head.get('status') === 'blocked')
    ?.head.get('blocked_on')

t.test('what a task waits for may be named by the ending of an id, by the operator and by its holder; it comes back when that is settled', async (t) => {
  const org = await organisation(t)
  await org.up()
  const ways = [{}, ...(AM_ROOT && REACHABLE ? [{ as: org.owner('pmo'), cwd: org.at('workspaces/pmo/home') }] : [])]
  for (const [n, how] of ways.entries()) {
    const main = await task(org, 'legal', 'pmo', `main ${n}`)
    const part = await task(org, 'pmo', 'legal', `part ${n}`)
    await until('its mirror', () => sentBy(org.root, 'pmo').some((one) => one.id === part.id))
    const agent = n === 0 ? ['--agent', 'pmo'] : []
    const none = await org.penny(['settle', main.id, 'blocked', '--on', part.id.slice(-6), '--on', 'f00d-f00d-f00d', ...agent], how)
    t.match(none, { status: 66, err: /there is no message f00d-f00d-f00d/ }, 'an ending that no id has is refused')
    t.equal(blockedOn(org, 'pmo', main.id), undefined, 'and nothing is written')
    const done = await org.penny(['settle', main.id.slice(-8), 'blocked', '--on', part.id.slice(-6).toUpperCase(), ...agent], how)
    t.equal(done.status, 0, done.err)
    await until('blocked on the whole id', () => blockedOn(org, 'pmo', main.id)?.includes(part.id))
    await org.as('legal', 'mv "new/$1" done/', part.file)
    await until('back in new/', () => lettersOf(org.root, 'pmo').some((one) => one.id === main.id && one.folder === 'new' && one.head.get('status') === 'open'))
  }
  const main = await task(org, 'legal', 'pmo', 'main with text')
  const text = await org.penny(['settle', main.id, 'blocked', '--on', 'the signature of the board', '--on', 'answer-7', '--agent', 'pmo'])
  t.equal(text.status, 0, text.err)
  t.match(await until('text and a ref', () => blockedOn(org, 'pmo', main.id)), /the signature of the board.*answer-7/s, 'stay as they are')
})

t.test('an ending that several ids have is refused, with those ids and the command for one of them', async (t) => {
  const org = await organisation(t)
  await org.up()
  const main = await task(org, 'legal', 'pmo', 'main')
  await org.end()
  const ids = ['01a1feef-0000-7000-8000-00000000beef', '01a1feef-0001-7000-8000-00000001beef']
  for (const id of ids) writeFileSync(org.at(`workspaces/legal/new/3-normal.${id}.x.md`), message({ id, status: 'open' }))
  const several = await org.penny(['settle', main.id, 'blocked', '--on', 'beef', '--agent', 'pmo'])
  t.equal(several.status, 64, several.err)
  for (const id of ids) t.match(several.err, id)
  t.match(several.err, `penny settle ${main.id} blocked --on ${ids[0]}`)
  t.equal(
    lettersOf(org.root, 'pmo')
      .find((one) => one.id === main.id)
      ?.head.has('blocked_on'),
    false,
  )
  const settled = await org.penny(['settle', 'beef', 'failed', '--agent', 'legal'])
  t.match(settled, { status: 64, err: new RegExp(`fix: penny settle ${ids[0]} failed`) }, 'the same for the task itself')
})

t.test('what a sender calls its message is not taken for the id of another', async (t) => {
  const org = await organisation(t)
  await org.up()
  const main = await task(org, 'legal', 'pmo', 'main')
  const ending = main.id.slice(-8)
  org.drop('workspaces/legal/outbox/other.md', message({ to: 'pmo', subject: 'other', ref: ending }))
  const other = await until('other', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === 'other'))
  await org.as('pmo', 'mv "new/$1" done/', main.file)
  await until('settled', () => sentBy(org.root, 'legal').find((one) => one.id === main.id && one.head.get('status') === 'done'))
  const set = await org.penny(['set', ending, 'status=open'])
  t.equal(set.status, 0, set.err)
  await until('the first is open again', () => lettersOf(org.root, 'pmo').find((one) => one.id === main.id && one.folder === 'new'))
  t.equal((await org.penny(['set', ending, 'status=cancelled'])).status, 0)
  await until('and cancelled', () => lettersOf(org.root, 'pmo').find((one) => one.id === main.id && one.folder === 'done'))
  t.ok(lettersOf(org.root, 'pmo').find((one) => one.id === other.id && one.folder === 'new'))
})

t.test('penny release lists the held files that an ending may mean, and lets none go', async (t) => {
  const org = await organisation(t)
  await org.up()
  mkdirSync(org.at('spool/nobody'))
  for (const box of ['legal', 'nobody']) org.drop(`spool/${box}/late report.md`, message({ to: 'nosuchagent' }))
  const held = await until('both are held', () => heldFiles(org.root).length === 2 && heldFiles(org.root))
  for (const typed of ['report', 'late-report', 'held/late-report']) {
    const several = await org.penny(['release', typed])
    t.equal(several.status, 64, several.err)
    for (const { id } of held) t.match(several.err, id)
    t.match(several.err, /fix: penny release \S+/)
  }
  t.equal(heldFiles(org.root).length, 2)
  const one = await org.penny(['release', held[0]?.id.slice(-8) ?? ''])
  t.match(one, { status: 65, err: /it was released, and held again: / }, 'by its id it is one; nothing was mended in it')
  t.equal(heldFiles(org.root).length, 2)
})
