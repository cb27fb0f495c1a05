import * as fc from 'fast-check'
import t from 'tap'
import { filesFrom, loadConfig } from '../../src/config/index.ts'
import { configOf, organisation, SOUND } from './organisation.ts'

/** Every object that can be reached from `value`, with the way to it. */
function* reach(value: unknown, path = 'config'): Generator<readonly [string, object]> {
  if (typeof value !== 'object' || value === null) return
  yield [path, value]
  const inner: Iterable<[unknown, unknown]> = value instanceof Map ? value.entries() : Object.entries(value)
  for (const [key, child] of inner) yield* reach(child, `${path}.${String(key)}`)
}

t.test('a snapshot is frozen to its leaves, maps too', async (t) => {
  const config = configOf({
    'schedules/report.md': '---\ncron: "0 9 * * MON"\nto: ceo\n---\nb',
    'agents/cfo.md': '---\nmounts: [{ from: /a, at: /b }]\nmay_write_to: [ceo]\n---\nx',
    'priorities.yaml': 'now: { claim_within: 1h, finish_within: 1d }\naliases: { P1: now }\n',
  })
  let seen = 0
  for (const [path, object] of reach(config)) {
    seen++
    t.ok(Object.isFrozen(object), `${path} is frozen`)
    if (!(object instanceof Map)) continue
    t.throws(() => object.set('x', 1), TypeError, `${path} refuses set`)
    t.throws(() => object.delete('legal'), TypeError, `${path} refuses delete`)
    t.throws(() => object.clear(), TypeError, `${path} refuses clear`)
  }
  t.ok(seen > 30, `${seen} objects looked at`)
})

t.test('the digest changes if, and only if, a name or a content changes', async (t) => {
  const digest = (changes: Record<string, string | undefined> = {}) => configOf(changes).digest
  t.match(digest(), /^[0-9a-f]{64}$/)
  t.equal(digest(), digest())
  const backwards = loadConfig(filesFrom(Object.fromEntries(Object.entries(organisation()).reverse())), '/elsewhere')
  t.equal(backwards.ok && backwards.config.digest, digest(), 'neither order nor place counts')
  const digests = Object.keys(SOUND).map((path) => digest({ [path]: `${SOUND[path]}${path.endsWith('.md') ? '\nmore' : '# more\n'}` }))
  t.equal(new Set([digest(), ...digests]).size, digests.length + 1, 'each file counts by itself')
  t.not(digest({ 'agents/a.md': 'x' }), digest({ 'agents/b.md': 'x' }), 'names count')
})

t.test('whatever stands in the files, there is an answer: a sound configuration or problems with places', async (t) => {
  const words = fc.constantFrom(
    '---\n',
    '---',
    '\n',
    '\r\n',
    '\ufeff',
    'name:',
    ' acme',
    'postmaster: operator\n',
    'manager: ceo\n',
    'runner:',
    '  command: [',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '!!x ',
    '? ',
    '- ',
    ': ',
    '"',
    "'",
    '|',
    '>',
    '#',
    '%',
    '\t',
    '\u0000',
    '__proto__: 1\n',
    'constructor: {}\n',
    'aliases:',
    'cron: ',
    '* * * * *',
    'to: ',
    '@all',
    '1e999',
    '0x7',
    '~',
    '\ud800',
    'é😀',
  )
  const text = fc.oneof(
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.string({ maxLength: 200, unit: 'binary' }),
    fc.constant('['.repeat(3000)),
    fc.constant('- '.repeat(3000)),
  )
  const path = fc.oneof(
    fc.constantFrom(
      ...Object.keys(SOUND),
      'priorities.yaml',
      'schedules/s.md',
      'agents/__proto__.md',
      'groups/constructor.yaml',
      '__proto__',
      'agents/',
      'people/toString.md',
    ),
    fc.string({ maxLength: 20 }),
  )
  const sound = fc.property(fc.array(fc.tuple(path, text), { maxLength: 4 }), (changes) => {
    const loaded = loadConfig(filesFrom(organisation(Object.fromEntries(changes))), '/policies')
    if (loaded.ok) return loaded.config.agents.size > 0
    return (
      loaded.problems.length > 0 &&
      loaded.problems.every(({ code, what, spot }) => code === 'config-invalid' && what !== '' && (!spot || (spot.line >= 1 && spot.column >= 1)))
    )
  })
  const { failed, errorInstance, counterexample, seed } = fc.check(sound, { numRuns: 500 })
  t.notOk(failed, `seed ${seed}, ${JSON.stringify(counterexample)}: ${String(errorInstance)}`)
})
