import t from 'tap'
import { complaints } from './organisation.ts'

const agent = (front: string): Record<string, string> => ({ 'agents/legal.md': `---\n${front}\n---\nYou review.\n` })
const schedule = (front: string): Record<string, string> => ({ 'schedules/report.md': `---\n${front}\n---\nPlease report.\n` })
const MONDAYS = 'cron: "0 9 * * MON"\nto: ceo'

/** What people write where YAML means something else by it → file:line:column, what is wrong, how it should read. */
const CASES: readonly (readonly [title: string, changes: Readonly<Record<string, string>>, line: string])[] = [
  [
    'a cron without quotes',
    schedule('cron: */5 * * * *\nto: ceo'),
    'schedules/report.md:2:7: a value that begins with * needs quotes: write cron: "*/5 * * * *"',
  ],
  [
    'a cron of stars, with a comment',
    schedule('cron: * * * * *   # always\nto: ceo'),
    'schedules/report.md:2:7: a value that begins with * needs quotes: write cron: "* * * * *"',
  ],
  [
    'a group without quotes',
    schedule('cron: "0 9 * * MON"\nto: @finance'),
    'schedules/report.md:3:5: a value that begins with @ needs quotes: write to: "@finance"',
  ],
  ['a group without quotes in a list', agent('may_write_to: [ceo, @finance]'), 'agents/legal.md:2:21: what begins with @ needs quotes: write "@finance"'],
  [
    'a colon in a title',
    agent('title: Legal: "the" counsel'),
    `agents/legal.md:2:8: a value with a colon in it needs quotes: write title: 'Legal: "the" counsel'`,
  ],
  ['a colon at the end', agent('title: Legal:'), 'agents/legal.md:2:8: a value with a colon in it needs quotes: write title: "Legal:"'],
  ['a map in one line', agent('runner: command: [sh]'), 'agents/legal.md:2:9: a key inside a value needs braces: write runner: { command: [sh] }'],
  ['a tab before a key', agent('runner:\n\tcommand: [sh]'), 'agents/legal.md:3:1: lines are indented with spaces, not tabs: write two spaces for each tab'],
  ['a key without a space', agent('title:x\nmanager:operator'), 'agents/legal.md:2:1: a colon and a space stand between key and value: write title: x'],
  ['an equals sign', agent('manager: operator\ntitle = x'), 'agents/legal.md:3:1: a colon and a space stand between key and value: write title: x'],
  ['a key without a colon', agent('title: x\nmanager'), 'agents/legal.md:3:1: a key is followed by a colon and its value: write manager: …'],
  ['a dash without a space', agent('may_write_to:\n- ceo\n-cfo'), 'agents/legal.md:4:1: a space is needed after the dash: write - cfo'],
  [
    'a line indented too far',
    agent('title: x\n  manager: operator'),
    'agents/legal.md:3:1: this line is indented too far: write it in the column of the line above, manager: operator',
  ],
  [
    'a line between two columns',
    agent('runner:\n  command: [sh]\n notes: false'),
    'agents/legal.md:4:1: this line begins in another column than those it belongs to',
  ],
  [
    'an item between two columns',
    agent('may_write_to:\n  - ceo\n - cfo'),
    'agents/legal.md:4:1: this line begins in another column than the list it belongs to',
  ],
  ['a quote that never closes', agent('title: "Legal\nmanager: operator'), 'agents/legal.md:2:8: the quote opened by " is not closed'],
  ['a quote that closes lines later', agent('title: "Legal\nmanager: "operator"'), 'agents/legal.md:2:8: the quote opened by " is not closed'],
  ['a quote in a list', agent('may_write_to: ["ceo", "cfo]'), 'agents/legal.md:2:23: the quote opened by " is not closed'],
  ['a list that never closes', agent('may_write_to: [ceo, cfo'), 'agents/legal.md:2:15: the list opened by [ is not closed'],
  ['a brace in a list', agent('mounts: [{ from: /a, at: /b ]'), 'agents/legal.md:2:10: the mapping opened by { is not closed'],
  ['a comma too many', agent('may_write_to: [ceo,, cfo]'), 'agents/legal.md:2:20: there is nothing before this comma'],
  ['an apostrophe', agent("title: 'it's legal'"), `agents/legal.md:2:8: a quote closes before the value ends: write title: "it's legal"`],
  ['words behind quotes', agent('title: "Legal" counsel'), `agents/legal.md:2:8: a quote closes before the value ends: write title: '"Legal" counsel'`],
  ['a comment too near', agent('title: "Legal"#1'), 'agents/legal.md:2:15: a comment needs a space before its #'],
  ['a path of another system', agent('title: "C:\\path"'), `agents/legal.md:2:11: \\p means nothing inside double quotes: write title: 'C:\\path'`],
  ['a list behind its key', agent('may_write_to: - ceo'), 'agents/legal.md:2:15: a list begins in a line of its own, or is written may_write_to: [ceo]'],
  ['text behind a bar', agent('title: | Legal'), 'agents/legal.md:2:8: a value that begins with | needs quotes: write title: "| Legal"'],
]

/** What a message may say, but not one that comes again and again; and what its admission would refuse, each time anew. */
const AGAIN: readonly (readonly [key: string, line: string])[] = [
  ['ref: weekly', '4:1: a schedule has no ref: every message after the first would count as a repeat of it'],
  ['attach: [a.txt]', '4:1: a schedule has no attach: no file lies beside it that could go with each message; say in the body where it is'],
  ['in_reply_to: weekly', '4:1: a schedule has no in_reply_to: its messages answer none, each begins a thread of its own'],
  ['settles: done', '4:1: a schedule has no settles: its messages answer none, so there is nothing that they settle'],
  ['not_before: 2027-01-01', '4:1: a schedule has no not_before: cron: alone says when its messages come'],
  ['result: x', '4:1: a schedule has no result: it is written by the holder of a message'],
  ['attest: x', '4:1: a schedule has no attest: it is kept for approvals, which are not in use here'],
  ['due: friday', '4:6: due: a date (2026-11-30) or a time (2026-11-30T17:00:00+01:00) is needed, this is "friday"'],
  ['due: [2026-11-30]', '4:6: due: a date (2026-11-30) or a time (2026-11-30T17:00:00+01:00) is needed, this is a list'],
  ['expires: 2026-02-30', '4:10: expires: a date (2026-11-30) or a time (2026-11-30T17:00:00+01:00) is needed, this is "2026-02-30"'],
  ['kind: tsk', '4:7: kind: one of task, note is needed, this is "tsk" (did you mean task?)'],
  ['kind: bounce', '4:7: kind: one of task, note is needed, this is "bounce"'],
  ['status: done', '4:9: status: a message begins as open, this is "done"'],
  [`subject: ${'x'.repeat(201)}`, `4:10: subject: one line of at most 200 characters is needed, this is "${'x'.repeat(64)}"`],
]

t.test('what a schedule cannot say is told when it is written, not when its first message is due', async (t) => {
  for (const [key, line] of AGAIN) t.same(complaints(schedule(`${MONDAYS}\n${key}`)), [`policies/schedules/report.md:${line}`], key)
  const good = ['due: 2026-11-30', 'expires: 2026-11-30T17:00:00+01:00', 'kind: note', 'status: open', 'subject: 7', 'cc: cfo', 'x-own: [1, 2]']
  t.same(complaints(schedule([MONDAYS, ...good].join('\n'))), [])
})

for (const [title, changes, line] of CASES) {
  t.test(`told in one sentence, with how it should read: ${title}`, async (t) => {
    t.same(complaints(changes), [`policies/${line}`])
  })
}

t.test('several recipients of a schedule may stand with commas between, as in a message', async (t) => {
  t.same(complaints(schedule('cron: "0 9 * * MON"\nto: ceo, cfo')), [])
  t.match(complaints(schedule('cron: "0 9 * * MON"\nto: ceo, cfoo')), [/^policies\/schedules\/report\.md:3:5: to: unknown name "cfoo" \(did you mean cfo\?\)$/])
})

t.test('what nobody foresaw is told in the words of the parser, and how lines look', async (t) => {
  t.match(complaints(agent('? title\n: x\n? [a]\n: b')), [/^policies\/agents\/legal\.md:\d+:\d+: this cannot be read \(.+\): lines are key: value, /])
})
