import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sessionAfter, sessionFor } from '../../src/runners/sessions.ts'
import { readStream } from '../../src/runners/stream.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'

t.test('a message has one session, and the next one where that cannot be resumed', async (t) => {
  const folder = t.testdir()
  const first = sessionFor(folder, ID)
  t.match(first, { exists: false, id: /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/ })
  t.same(sessionFor(folder, ID), first, 'the same each time')
  t.not(sessionFor(folder, `${ID}x`).id, first.id, 'another message, another session')
  const projects = join(folder, 'projects/-ws-home')
  mkdirSync(projects, { recursive: true })
  writeFileSync(join(projects, `${first.id}.jsonl`), '')
  t.same(sessionFor(folder, ID), first, 'an empty transcript is none')
  writeFileSync(join(projects, `${first.id}.jsonl`), '{}\n')
  t.same(sessionFor(folder, ID), { id: first.id, exists: true })
  const second = sessionAfter(ID, first)
  t.match(second, { exists: false })
  t.not(second?.id, first.id)
  writeFileSync(join(projects, `${second?.id}.jsonl`), '{}\n')
  t.same(sessionFor(folder, ID), { id: second?.id, exists: true }, 'the newest')
  let last = second
  for (let n = 2; n < 20; n++) last = last && sessionAfter(ID, last)
  t.ok(last)
  t.equal(last && sessionAfter(ID, last), undefined, 'not for ever')
})

t.test('what it tells is read in any chunks', async (t) => {
  const text =
    'plain words\n{"type":"system","subtype":"init"}\n[1]\n{"type":"result","subtype":"success","is_error":true,"result":"Grüße","api_error_status":529}\n'
  const bytes = Buffer.from(text)
  for (const size of [1, 2, 7, bytes.length]) {
    const stream = readStream()
    t.notOk(stream.begun())
    for (let at = 0; at < bytes.length; at += size) stream.add(bytes.subarray(at, at + size))
    t.ok(stream.begun())
    t.same(stream.result(), { text: 'Grüße', isError: true, subtype: 'success', status: 529 })
  }
})
