import t from 'tap'
import { sessionOf } from '../../src/model/index.ts'

const ID = '6f1c0de2-1111-4222-8333-444455556666'

t.test('the session is told by the header, or by the user id of Claude Code', async (t) => {
  t.equal(sessionOf({ 'x-claude-code-session-id': ID }), ID)
  t.equal(
    sessionOf({ 'x-claude-code-session-id': ID }, { userId: `user_ab_account__session_${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}` }),
    ID,
    'the header first',
  )
  t.equal(sessionOf({}, { userId: `user_0123abcd_account_${ID}_session_${ID}` }), ID)
  t.equal(sessionOf({}, { userId: JSON.stringify({ device_id: 'd', account_uuid: '', session_id: ID }) }), ID)
})

t.test('what is no id of a session is none', async (t) => {
  for (const wrong of ['', ' ', '../x', 'a b', 'x'.repeat(129), '-x', 'ü', 'a\u0000b']) {
    t.equal(sessionOf({ 'x-claude-code-session-id': wrong }), undefined, JSON.stringify(wrong))
    t.equal(sessionOf({}, { userId: JSON.stringify({ session_id: wrong }) }), undefined, JSON.stringify(wrong))
  }
  t.equal(sessionOf({ 'x-claude-code-session-id': ['a', 'b'] }), undefined)
  t.equal(sessionOf({}, { userId: 'somebody' }), undefined)
  t.equal(sessionOf({}, { userId: '{"session_id":7}' }), undefined)
  t.equal(sessionOf({}, { userId: '{' }), undefined)
  t.equal(sessionOf({}), undefined)
})
