import { writeFileSync } from 'node:fs'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertOf, heldFiles, lettersOf, message, oddInHeld, until } from './files.ts'

type Refusal = Readonly<{ code: string; text: string | Buffer; mention?: RegExp; mended: string }>
const good = (note: string): string => message({ to: 'legal', subject: note })
const yaml = (lines: string): string => `---\nto: legal\n${lines}\n---\nbody\n`

/** Each mistake that a file alone can make. They come from an agent each, so that no bounce is held back by the limit on bounces. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  'too-long': { code: 'too-large', text: message({ to: 'legal' }, 'x'.repeat(256 * 1024)), mended: good('too-long') },
  'long-head': { code: 'too-large', text: yaml(`x-note: ${'y'.repeat(16 * 1024)}`), mended: good('long-head') },
  latin1: { code: 'bad-encoding', text: Buffer.from('---\nto: legal\nsubject: Gr\xfc\xdfe\n---\nbody\n', 'latin1'), mended: good('latin1') },
  'latin1-body': { code: 'bad-encoding', text: Buffer.from('---\nto: legal\n---\nGr\xfc\xdfe\n', 'latin1'), mended: good('latin1-body') },
  control: { code: 'bad-encoding', text: yaml('subject: a\u0007b'), mended: good('control') },
  script: { code: 'bad-front-matter', text: '---js\nthrow new Error()\n---\nbody\n', mended: good('script') },
  blank: { code: 'bad-front-matter', text: '--- \nto: legal\n---\nbody\n', mended: good('blank') },
  dashes: { code: 'bad-front-matter', text: '----\nto: legal\n----\nbody\n', mended: good('dashes') },
  json: { code: 'bad-front-matter', text: '---json\n{"to": "legal"}\n---\nbody\n', mended: good('json') },
  twice: { code: 'bad-front-matter', text: yaml('subject: a\nsubject: b'), mention: /:4:/, mended: good('twice') },
  anchor: { code: 'bad-front-matter', text: yaml('x-a: &a [1]\nx-b: *a'), mended: good('anchor') },
  tag: { code: 'bad-front-matter', text: yaml('subject: !!str a'), mended: good('tag') },
  colon: { code: 'bad-front-matter', text: yaml('subject: Done: see x'), mention: /:3:/, mended: good('colon') },
  list: { code: 'bad-front-matter', text: '---\n- to\n- legal\n---\nbody\n', mended: good('list') },
  'a-date': { code: 'bad-value', text: yaml('due: someday'), mended: good('a-date') },
  'no-status': { code: 'bad-value', text: yaml('status: done'), mended: good('no-status') },
  'long-subject': { code: 'bad-value', text: yaml(`subject: ${'s'.repeat(201)}`), mended: good('long-subject') },
  'odd-kind': { code: 'bad-value', text: yaml('kind: alert'), mended: good('odd-kind') },
  'odd-ref': { code: 'bad-value', text: yaml('ref: a b/c'), mended: good('odd-ref') },
  misspelt: { code: 'unknown-key', text: yaml('prioirty: high'), mention: /prioirty.*priority/s, mended: good('misspelt') },
  'odd-priority': { code: 'unknown-priority', text: yaml('priority: asap'), mention: /urgent/, mended: good('odd-priority') },
  nobody: { code: 'unknown-recipient', text: message({ to: 'legla' }), mention: /legal/, mended: good('nobody') },
  'half-known': { code: 'unknown-recipient', text: message({ to: '[legal, nosuchagent]' }), mended: good('half-known') },
  'no-to': { code: 'unknown-recipient', text: message({ subject: 'x' }), mended: good('no-to') },
  narrow: { code: 'not-permitted', text: message({ to: 'ceo' }), mended: good('narrow') },
  forged: { code: 'forged-sender', text: message({ to: 'legal', from: 'ceo' }), mended: good('forged') },
}

t.test('what cannot be admitted is held untouched with its reason, alerted, bounced to the agent, and delivered once mended and released', async (t) => {
  const names = Object.keys(REFUSALS).map((name) => `a-${name}`)
  const org = await organisation(t, {
    agents: { legal: '', ceo: '', ...Object.fromEntries(names.map((name) => [name, name === 'a-narrow' ? 'may_write_to: [legal]\n' : ''])) },
  })
  await org.up()
  for (const [name, refusal] of Object.entries(REFUSALS)) {
    const agent = `a-${name}`
    const file = `case ${name}.md`
    const drop = org.drop(`workspaces/${agent}/outbox/${file}`, refusal.text)
    const alert = await until(`an alert ${refusal.code} for ${name}`, () => alertOf(org.root, refusal.code, file))
    const held = await until(`a held file for ${name}`, () => heldFiles(org.root).find((one) => one.raw.equals(Buffer.from(refusal.text))))
    // promise 1: 2 s; + 1 s for a loaded machine
    t.ok(performance.now() - drop.at < 3000, `${name}: within 2 s`)
    t.equal(held.code, refusal.code, `${name}: the code is in the held file's name`)
    const why = await until(`${name}: why`, () => heldFiles(org.root).find((one) => one.id === held.id)?.why)
    t.ok(why.includes(file) && why.includes(agent), `${name}: .why.md names the file and its sender`)
    t.match(why, /penny release/, `${name}: .why.md gives the fix`)
    for (const key of ['code', 'about', 'agent', 'priority', 'first_seen', 'last_seen', 'count', 'fix'])
      t.ok(alert.head.get(key), `${name}: the alert has ${key}`)
    t.equal(alert.head.get('code'), refusal.code)
    t.equal(alert.head.get('agent'), agent)
    t.equal(alert.head.get('count'), '1')
    t.ok(alert.body.toString().trim().length > 10, `${name}: a sentence`)
    if (refusal.mention) t.match(`${alert.text}${why}`, refusal.mention, `${name}: says where or what was meant`)
    const bounce = await until(`a bounce for ${name}`, () => lettersOf(org.root, agent).find((one) => one.head.get('kind') === 'bounce'))
    t.equal(bounce.head.get('from'), 'pennypost', `${name}: bounced by the daemon`)
    t.ok(bounce.raw.includes(file), `${name}: the bounce names the file`)
    t.ok(bounce.raw.includes(refusal.code), `${name}: the bounce gives the code`)
  }
  const before = await accounting(org)
  t.ok(isTrue(before) && before.held === names.length && before.drops === names.length && before.copies === 0, JSON.stringify(before))
  t.same(oddInHeld(org.root), [], 'every name in held/ is of the promised form')
  t.same(
    [...lettersOf(org.root, 'legal'), ...lettersOf(org.root, 'ceo')].map((letter) => letter.file),
    [],
    'nothing was delivered',
  )

  for (const [name, refusal] of Object.entries(REFUSALS)) {
    const held = heldFiles(org.root).find((one) => one.raw.equals(Buffer.from(refusal.text)))
    if (!held) throw new Error(`${name} is not held any more`)
    writeFileSync(held.path, refusal.mended)
    const released = await org.penny(['release', held.path])
    t.equal(released.status, 0, `${name}: released: ${released.err}`)
    const letter = await until(`${name} mended`, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === name))
    t.equal(letter.head.get('from'), `a-${name}`, `${name}: still from its sender`)
  }
  t.same(
    heldFiles(org.root).map((one) => one.path),
    [],
    'nothing is held any more',
  )
  const after = await accounting(org)
  t.ok(isTrue(after) && after.copies === names.length, JSON.stringify(after))
})
