/**
 * A model that reviews a paper section by section: it reads one, records what it decides of it, goes on with the next. Like real ones it
 * remembers nothing but what stands in the request; what is lost from there it does again.
 */
export const SECTIONS = 12

const FACTS = ['amber', 'birch', 'coral', 'dusk', 'ember', 'fern', 'grove', 'heath', 'iris', 'jade', 'kelp', 'linen']
const NUMBERS = FACTS.map((_, i) => i + 1)
const KNOWN = /DECISION (\d+): keep \w+, as \w+ before/g
/** The words with which the loop of `builtin: anthropic` asks for a checkpoint, and clients for a summary. */
const ORDERS = { checkpoint: 'write the checkpoint now', summary: 'Summarise this conversation' }

/** What the agent is asked for. @param {string} folder where the sections lie, as the agent sees it */
export const taskOf = (folder) => [
  `Review the paper in ${folder}: sections 01.md to ${SECTIONS}.md, in turn, one at a time. Each section is about one thing.`,
  'As soon as you have read section N, and before you read the next, append one line to decisions.md in your home:',
  'DECISION N: keep WHAT IT IS ABOUT, as WHAT THE SECTION BEFORE IS ABOUT before',
  'The first one says "as nothing before". When all are decided, answer with the lines.',
]

/** @param {number} n @param {number} characters */
export const sectionOf = (n, characters) =>
  `SECTION ${n} is about ${FACTS[n - 1]}.\n`.padEnd(characters, `More is said of ${FACTS[n - 1]}, and has no weight.\n`)
export const fileOf = (n) => `${String(n).padStart(2, '0')}.md`
export const decisionOf = (n) => `DECISION ${n}: keep ${FACTS[n - 1]}, as ${FACTS[n - 2] ?? 'nothing'} before`
export const summaryOrder = ORDERS.summary

/**
 * `marks`: a letter an answer: the section it is about, `*` a checkpoint or a summary, `.` the end. `before` may keep an answer back for
 * ever (`false`).
 * @param {{ folder: string, before?: (step: { kind: string, section?: number }) => boolean }} given
 */
export const createReviewer = ({ folder, before = () => true }) => {
  let marks = ''
  return {
    marks: () => marks,
    answerTo: ({ messages }) => {
      const texts = messages.flatMap(({ content }) => textsIn(content))
      const newest = textsIn(messages.at(-1).content)
      const known = new Map(texts.flatMap((text) => [...text.matchAll(KNOWN)].map(([line, n]) => [Number(n), line])))
      const step = stepOf(texts, newest, known)
      if (!before(step)) return undefined
      marks += step.section?.toString(SECTIONS + 1) ?? (step.kind === 'finish' ? '.' : '*')
      return contentOf(step, folder, known)
    },
  }
}

function stepOf(texts, newest, known) {
  const order = Object.entries(ORDERS).find(([, words]) => newest.some((text) => text.includes(words)))
  if (order) return { kind: order[0] }
  const section = NUMBERS.find((n) => !known.has(n))
  if (section === undefined) return { kind: 'finish' }
  return { kind: texts.some((text) => text.includes(`SECTION ${section} is about`)) ? 'record' : 'read', section }
}

function contentOf({ kind, section }, folder, known) {
  const lines = [...known.values()]
  switch (kind) {
    case 'read':
      return [use('Read', { file_path: `${folder}/${fileOf(section)}` })]
    case 'record': {
      const line = decisionOf(section)
      return [text(line), use('Bash', { command: `echo '${line}' >> decisions.md` }), use('Progress', { line: `${section} of ${SECTIONS} sections decided` })]
    }
    case 'checkpoint':
      return [
        text(
          `progress: ${lines.length} of ${SECTIONS} sections decided\n## Decided\n${lines.join('\n')}\n## Next\nsection ${lines.length + 1} of ${SECTIONS}, in ${folder}`,
        ),
      ]
    case 'summary':
      return [text('The paper is under review, section by section; decisions go to decisions.md.')]
    default:
      return [text(lines.join('\n'))]
  }
}

const text = (words) => ({ type: 'text', text: words })
let calls = 0
const use = (name, input) => ({ type: 'tool_use', id: `toolu_demo${++calls}`, name, input })

function textsIn(content) {
  if (typeof content === 'string') return [content]
  return content.flatMap((block) => (block.type === 'tool_result' ? textsIn(block.content) : typeof block.text === 'string' ? [block.text] : []))
}
