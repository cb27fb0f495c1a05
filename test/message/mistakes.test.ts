import t from 'tap'
import { describeComplaint } from '../../src/core/fault.ts'
import { parseMessage } from '../../src/message/index.ts'

function told(text: string): readonly string[] {
  const parsed = parseMessage(Buffer.from(text), { frontMatterBytes: 16 * 1024 })
  if (parsed.ok) throw new Error(`this is a message: ${text}`)
  return parsed.complaints.map((complaint) => describeComplaint('y.md', complaint))
}

const CASES: readonly (readonly [string, string])[] = [
  ['to: [scout', 'y.md:2:5: the list opened by [ is not closed'],
  ['to: [scout\nsubject: x\nkind: note', 'y.md:2:5: the list opened by [ is not closed'],
  ['subject: "Hello\nto: scout', 'y.md:2:10: the quote opened by " is not closed'],
  ['x-a: { b: c', 'y.md:2:6: the mapping opened by { is not closed'],
  ['to: scout\nsubject: Done: see x', 'y.md:3:10: a value with a colon in it needs quotes: write subject: "Done: see x"'],
  ['to: @revenue', 'y.md:2:5: a value that begins with @ needs quotes: write to: "@revenue"'],
  ['x-a:\n\tb: c', 'y.md:3:1: lines are indented with spaces, not tabs: write two spaces for each tab'],
  ['to: scout\nsubject', 'y.md:3:1: a key is followed by a colon and its value: write subject: …'],
  ['to: a\nto: b', 'y.md:3:1: the same key stands twice'],
]

for (const [front, line] of CASES) {
  t.test(`a mistake in a message is told as what was written: ${JSON.stringify(front)}`, async (t) => {
    t.same(told(`---\n${front}\n---\nx\n`), [line])
    t.same(told(`---\r\n${front.replaceAll('\n', '\r\n')}\r\n---\r\nx\r\n`), [line], 'with CRLF')
  })
}
