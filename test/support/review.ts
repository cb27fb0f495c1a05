/**
 * A model whose answers can be foretold, at work on a review of twelve sections: it reads one, records what it decides of it, goes on with
 * the next. It has no memory but the request in front of it, as real ones: what is lost from its context it does again. Any runner drives
 * it whose tools are called as Claude Code's (Bash, Read).
 */
import type { Asked, Behaviour, Block, Script } from './provider/options.ts'

export type Step =
  | Readonly<{ kind: 'read' | 'record'; section: number }>
  /** `known`: the decisions in its context just then. */
  | Readonly<{ kind: 'checkpoint' | 'summary'; known: number }>
  | Readonly<{ kind: 'finish' }>

export type ReviewOptions = Readonly<{
  sections?: number
  /** Of one section: what fills the context. About four characters are a token. */
  characters?: number
  /** The folder of the sections, as the runner's tools see it. */
  folder?: string
  /** Where decisions are recorded, a line each. */
  ledger?: string
  /** Where one provider serves several reviews; it stands in the task. */
  name?: string
  /** Whether the summary of a compaction holds the decisions; by default it forgets them, which is the cliff. */
  keepsInSummary?: boolean
  /** What orders a checkpoint, where it stands in the newest message. */
  order?: RegExp
  /** Before each answer; what it returns is answered instead, and the step counts as not taken. */
  before?: (step: Step, asked: Asked) => Behaviour | undefined | Promise<Behaviour | undefined>
}>

export type Review = Readonly<{
  /** The message's body. */
  task: string
  /** Texts of the sections, by file name. */
  files: Readonly<Record<string, string>>
  script: Script
  /** What was done, in turn. */
  steps: readonly Step[]
  /** What the ledger must hold when all is over: each once, in this order. */
  decisions: readonly string[]
  /** How often each section was read, from the first on. */
  reads: () => number[]
}>

type Part = Readonly<{ text: string; isNewest: boolean }>

const COLOURS = ['amber', 'birch', 'coral', 'dusk', 'ember', 'fern', 'grove', 'heath', 'iris', 'jade', 'kelp', 'linen', 'moss', 'north', 'olive', 'pearl']
const ORDER = /\bwrite (a|the|your) checkpoint\b/i
const COMPACTION = 'Your task is to create a detailed summary of '

export function createReview(options: ReviewOptions = {}): Review {
  const { sections = 12, characters = 2_000, folder = 'sections', ledger = 'decisions.md', name = 'paper', order = ORDER } = options
  const numbers = Array.from({ length: sections }, (_, i) => i + 1)
  const files = Object.fromEntries(numbers.map((n) => [fileOf(n), sectionText(name, n, characters)]))
  const steps: Step[] = []

  /** Each stands on the one before it: whoever has forgotten that one decides otherwise. */
  const decision = (n: number, colour = '?', before = 'nothing'): string => `DECISION ${n} of ${name}: keep ${colour}, as ${before} was kept before`

  function knownIn(parts: readonly Part[]): Map<number, string> {
    const lines = new RegExp(`DECISION (\\d+) of ${name}: keep \\w+, as \\w+ was kept before`, 'g')
    return new Map(parts.flatMap(({ text }) => [...text.matchAll(lines)].map((line) => [Number(line[1]), line[0]] as const)))
  }

  function stepOf(parts: readonly Part[], known: ReadonlyMap<number, string>): Step {
    const newest = parts.filter(({ isNewest }) => isNewest)
    if (newest.some(({ text }) => text.includes(COMPACTION))) return { kind: 'summary', known: known.size }
    if (newest.some(({ text }) => order.test(text))) return { kind: 'checkpoint', known: known.size }
    const section = numbers.find((n) => !known.has(n))
    if (section === undefined) return { kind: 'finish' }
    return { kind: aboutIn(parts, name, section) === undefined ? 'read' : 'record', section }
  }

  function contentOf(step: Step, { body }: Asked, parts: readonly Part[], known: ReadonlyMap<number, string>): string | Block[] {
    const lines = [...known].sort(([a], [b]) => a - b).map(([, line]) => line)
    switch (step.kind) {
      case 'read':
        return [use('Read', { file_path: `${folder}/${fileOf(step.section)}` })]
      case 'record': {
        const before = /keep (\w+)/.exec(known.get(step.section - 1) ?? '')?.[1]
        const line = decision(step.section, aboutIn(parts, name, step.section), before)
        const next = step.section === sections ? 'all sections reviewed' : `section ${step.section + 1} of ${sections}`
        return [
          { type: 'text', text: line },
          use('Bash', {
            command: `echo '${line}' >> ${ledger}\necho 'recorded ${step.section} of ${name}'\nsed -i '/^progress:/d; s/^status:.*/&\\nprogress: "${next}"/' "$PENNY_MESSAGE"`,
          }),
        ]
      }
      case 'checkpoint': {
        const checkpoint = `progress: ${known.size} of ${sections} sections\n\nREVIEW OF ${name}, decided so far:\n${lines.join('\n')}`
        if (!mayUseTools(body)) return checkpoint
        return [use('Bash', { command: `{ echo "message: $PENNY_ID"; cat <<'END'; } > "$HOME/checkpoint.md"\n${checkpoint}\nEND` })]
      }
      case 'summary':
        return `<summary>\nREVIEW OF ${name}: it is under way.\n${options.keepsInSummary ? lines.join('\n') : ''}\n</summary>`
      case 'finish':
        return `Reviewed.\n${lines.join('\n')}\n`
    }
  }

  const script: Script = async (asked) => {
    const parts = partsOf(asked.body)
    if (!parts.some(({ text }) => text.includes(`REVIEW OF ${name}`))) return undefined
    const known = knownIn(parts)
    const step = stepOf(parts, known)
    const instead = await options.before?.(step, asked)
    if (instead) return instead
    steps.push(step)
    return { kind: 'answer', content: contentOf(step, asked, parts, known) }
  }

  return {
    task: `REVIEW OF ${name}: review its ${sections} sections, ${folder}/01.md and so on, in turn; record each decision in ${ledger} when it is made.\n`,
    files,
    script,
    steps,
    decisions: numbers.map((n) => decision(n, colourOf(n), n === 1 ? undefined : colourOf(n - 1))),
    reads: () => numbers.map((n) => steps.filter((step) => step.kind === 'read' && step.section === n).length),
  }
}

function fileOf(n: number): string {
  return `${String(n).padStart(2, '0')}.md`
}

function colourOf(n: number): string {
  return COLOURS[(n * 7) % COLOURS.length] ?? ''
}

function sectionText(name: string, n: number, characters: number): string {
  const colour = colourOf(n)
  return `SECTION ${n} of ${name} is about ${colour}.\n`.padEnd(characters, `What else is said of ${colour} is long and has no weight.\n`)
}

/** What a section is about, where it has been read. */
function aboutIn(parts: readonly Part[], name: string, n: number): string | undefined {
  const words = new RegExp(`SECTION ${n} of ${name} is about (\\w+)\\.`)
  for (const { text } of parts) {
    const colour = words.exec(text)?.[1]
    if (colour !== undefined) return colour
  }
  return undefined
}

function use(name: string, input: object): Block {
  return { type: 'tool_use', name, input }
}

function mayUseTools({ tools, tool_choice: choice }: Asked['body']): boolean {
  return Array.isArray(tools) && tools.length > 0 && (choice as { type?: unknown } | undefined)?.type !== 'none'
}

/** Every text of the request, also what tools gave back. `isNewest`: in the last message of the user. */
function partsOf(body: Asked['body']): Part[] {
  const messages = body['messages'] as readonly Readonly<{ role: unknown; content: unknown }>[]
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const system = textsIn(body['system']).map((text) => ({ text, isNewest: false }))
  return [...system, ...messages.flatMap(({ content }, i) => textsIn(content).map((text) => ({ text, isNewest: i === last })))]
}

function textsIn(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: Readonly<{ type?: unknown; text?: unknown; content?: unknown }>) =>
    block.type === 'tool_result' ? textsIn(block.content) : typeof block.text === 'string' ? [block.text] : [],
  )
}
