import { Buffer } from 'node:buffer'
import t from 'tap'
import { defaultSubject, parseMessage } from '../../src/message/index.ts'

function subject(body: string, name = 'stuck-report.md'): string {
  const parsed = parseMessage(Buffer.from(`---\nto: x\n---\n${body}`), { frontMatterBytes: 1000 })
  if (!parsed.ok) throw new Error('no message')
  return defaultSubject(parsed.message, name)
}

t.test('the first line with words is the subject', async (t) => {
  t.equal(subject('\n\r\n  \n# Review the *agreement* ##\nmore'), 'Review the *agreement*')
  t.equal(subject('### C#\n'), 'C#')
  t.equal(subject('#hash is no heading'), '#hash is no heading')
  t.equal(subject('Please look\n# Later heading'), 'Please look')
  t.equal(subject('***\n```\n----\n日本語の件名\r\n'), '日本語の件名')
  t.equal(subject('tab\there\u0007'), 'tab here\\x07')
})

t.test("without one it is the file's name", async (t) => {
  t.equal(subject(''), 'stuck-report')
  t.equal(subject('\n---\n', 'A.MD'), 'A')
  t.equal(subject('', 'odd\nname.md'), 'odd name')
  t.equal(subject('', '.md'), 'message')
})

t.test('it is one line of at most 200 characters', async (t) => {
  const long = subject('word '.repeat(60_000))
  t.ok(long.length <= 200 && long.endsWith('…'))
  t.notMatch(subject('😀a'.repeat(500)), /\p{Surrogate}/u, 'cut at a whole character')
  t.notMatch(subject('a😀'.repeat(500)), /\p{Surrogate}/u, 'wherever the cut falls')
})
