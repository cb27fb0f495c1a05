import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { quote } from '../../src/cli/letter.ts'
import { parseMessage } from '../../src/message/index.ts'
import { deliver, idOf, objects, organisation, penny, write } from './called.ts'

const dropsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.md'))

t.test('send drops a whole file in one step and prints the ref while the daemon is down', async (t) => {
  const root = organisation(t)
  const { status, out, err } = await penny(['send', 'legal', '-s', 'Hello', '-p', 'urgent', '--root', root], { input: 'The body\r\nhas two lines' })
  t.equal(status, 0)
  t.match(err, /not admitted yet/)
  const [name = ''] = dropsIn(`${root}/spool`)
  const text = readFileSync(`${root}/spool/${name}`, 'utf8')
  t.match(text, `ref: ${out.trim()}\nto: legal\n`)
  t.match(text, '---\nThe body\r\nhas two lines')
  t.equal(readdirSync(`${root}/spool`).filter((one) => one.endsWith('.tmp')).length, 0)
})

t.test('values survive any text', (t) => {
  const hostile = ['a: b', '# no comment', '"quoted" \\ back', "it's", '&anchor *alias !tag', '---', '\u0085\u2028\u202e', '👩🏽‍⚖️', '017', 'null', '\ud800']
  for (const [index, text] of hostile.entries()) {
    const parsed = parseMessage(Buffer.from(`---\nsubject: ${quote(text)}\n---\n`), { frontMatterBytes: 16384 })
    t.equal(parsed.ok && parsed.message.values['subject'], text === '\ud800' ? '\ufffd' : text, `text ${index}`)
  }
  t.end()
})

t.test('a recipient that does not exist is refused at once, with the nearest name, and nothing is dropped', async (t) => {
  const root = organisation(t)
  const wrong = await penny(['send', 'leagl', '-m', 'x', '--root', root])
  t.equal(wrong.status, 66)
  t.match(wrong.err, /did you mean legal\?/)
  t.equal((await penny(['send', 'legal', '@nobody', '-m', 'x', '--root', root])).status, 66)
  t.equal((await penny(['send', 'legal', '--cc', 'pmoo', '-m', 'x', '--root', root])).status, 66)
  t.same(dropsIn(`${root}/spool`), [])
  t.equal((await penny(['send', '@team,operator', '-m', 'x', '--root', root])).status, 0)
})

t.test('a priority or a date that does not exist is refused before anything is written, with the command that mends it', async (t) => {
  const root = organisation(t)
  const at = ['-m', 'x', '--root', root]
  const refused = async (words: readonly string[], fix: RegExp): Promise<void> => {
    const { status, err } = await penny(['send', 'legal', ...words, ...at])
    t.equal(status, 65, words.join(' '))
    t.match(err, /nothing was sent/)
    t.match(err, fix)
  }
  await refused(['-p', 'hihg'], /did you mean high\?.*\n +fix: penny send .*legal -p high -m x/)
  for (const option of ['--due', '--not-before', '--expires']) await refused([option, 'next week'], /fix: penny send .*legal --[a-z-]+ 20\d\d-\d\d-\d\d -m x/)
  await refused(['--due', '2026-02-30'], /is no date/)
  write(`${root}/policies/priorities.yaml`, 'soon: { claim_within: 5m, finish_within: 1h }\naliases: { P1: soon }\n')
  await refused(['-p', 'high'], /known are soon; .*\n +fix: penny send .*legal -p soon -m x/)
  t.same(dropsIn(`${root}/spool`), [])
  for (const words of [
    ['-p', 'soon'],
    ['-p', 'P1'],
    ['--due', '2030-01-31'],
    ['--due', '2030-01-31 17:00'],
    ['--due', ''],
  ])
    t.equal((await penny(['send', 'legal', ...words, ...at])).status, 0, words.join(' '))
  write(`${root}/policies/priorities.yaml`, 'soon: {')
  t.equal((await penny(['send', 'legal', '-p', 'high', ...at])).status, 0, 'who runs with what was valid before is believed')
})

t.test('a fix is the same command with the one word changed that was wrong, however that was written', async (t) => {
  const root = organisation(t)
  for (const id of [idOf('1beef', 1), idOf('2beef', 2)]) deliver(root, { id, holder: 'legal', folder: 'new' })
  for (const [args, fixed, more = {}] of [
    [['send', 'legal', '--due=tomorrow', '-m', 'x'], 'send legal --due=DATE -m x'],
    [['send', 'legal', '-s', 'tomorrow', '--due', 'tomorrow'], 'send legal -s tomorrow --due DATE'],
    [['send', 'legal', '-s', 'tomorrow', '--due', '2030-01-01', '--due=tomorrow'], 'send legal -s tomorrow --due 2030-01-01 --due=DATE'],
    [['send', 'legal', '-phihg', '-m', "it's"], "send legal -phigh -m 'it'\\''s'"],
    [['send', 'legal', '-p', 'hihg', '-s', 'hihg', '-m=hihg'], 'send legal -p high -s hihg -m=hihg'],
    [['send', 'legal', '--kind', 'taks', '-m', 'taks'], 'send legal --kind task -m taks'],
    [['send', 'legal', '-m', 'a b', '--ref', 'a b'], "send legal -m 'a b' --ref a-b"],
    [['send', 'legal', '-m', 'x', '-s', 'one\ntwo'], "send legal -m x -s 'one two'"],
    [['send', 'legal'], "send --message 'the text' legal"],
    [['send', 'legal', '-m', ''], "send legal -m 'the text'"],
    [['send', '--message=', '--', 'legal'], "send '--message=the text' -- legal"],
    [['send', '--', 'legal'], "send --message 'the text' -- legal"],
    [['send', 'legal', '-s', '--', 'x'], 'help send'],
    [['send', 'legal', '-m', 'x', '--wait'], 'send --ref REF legal -m x && penny settle "$PENNY_ID" blocked --on REF', { PENNY_RUN: 'r' }],
    [['send', 'legal', '-m', 'x', '--wait', '--ref=r1'], 'send legal -m x --ref=r1 && penny settle "$PENNY_ID" blocked --on r1', { PENNY_RUN: 'r' }],
    [['settle', '1beef', 'blocked', '-m', 'beef', '--on=beef', '--agent', 'legal'], `settle 1beef blocked -m beef --on=${idOf('1beef', 1)} --agent legal`],
    [['settle', 'beef', 'done', '-m', 'beef', '--agent', 'legal'], `settle ${idOf('1beef', 1)} done -m beef --agent legal`],
    [['settle', '1beef', 'blocked', '--on', '--root', root, 'beef', '--agent', 'legal'], 'help settle'],
    [['settle', '1beef', 'finish', '-m', 'x'], 'settle 1beef done -m x'],
    [['reply', '1beef', '--settles=dnoe', '-m', 'dnoe'], 'reply 1beef --settles=done -m dnoe'],
    [['reply', '1beef', '--agent', 'legal', '-m', ' '], "reply 1beef --agent legal -m 'the answer'"],
  ] as const) {
    const { err } = await penny(args, { cwd: root, env: more })
    const [, fix = err] = /fix: (?:penny )?(.*)\n$/.exec(err.replaceAll(/\b[a-z0-9]{8}-[a-f0-9]{12}\b/g, 'REF')) ?? []
    t.equal(fixed.includes('DATE') ? fix.replace(/(due[= ])(?!2030)\d{4}-\d\d-\d\d/, '$1DATE') : fix, fixed, args.join(' '))
  }
})

t.test('what could only be held is refused: nothing to say, two lines of subject, bytes that are no text', async (t) => {
  const root = organisation(t)
  t.equal((await penny(['send', 'legal', '--root', root])).status, 65)
  t.equal((await penny(['send', 'legal', '-s', 'a\nb', '--root', root])).status, 65)
  t.equal((await penny(['send', 'legal', '-s', 'x'.repeat(201), '--root', root])).status, 65)
  t.equal((await penny(['send', 'legal', '--root', root], { input: Buffer.from([0xff, 0xfe]) })).status, 65)
  t.equal((await penny(['send', 'legal', '-m', 'x', '--ref', 'a b', '--root', root])).status, 64)
  t.same(dropsIn(`${root}/spool`), [])
})

t.test('attachments go first, and never replace a file of the same name', async (t) => {
  const root = organisation(t)
  writeFileSync(`${root}/contract.pdf`, 'ours')
  writeFileSync(`${root}/spool/files/contract.pdf`, "somebody else's")
  t.equal((await penny(['send', 'legal', '-m', 'x', '-a', 'contract.pdf', '--root', root], { cwd: root })).status, 0)
  const text = readFileSync(`${root}/spool/${dropsIn(`${root}/spool`)[0]}`, 'utf8')
  const [, name = ''] = /^attach: \["(contract-[0-9a-f]+\.pdf)"\]$/m.exec(text) ?? []
  t.equal(readFileSync(`${root}/spool/files/${name}`, 'utf8'), 'ours')
  t.equal(readFileSync(`${root}/spool/files/contract.pdf`, 'utf8'), "somebody else's")
  const missing = await penny(['send', 'legal', '-m', 'x', '-a', 'nothing.pdf', '--root', root], { cwd: root })
  t.equal(missing.status, 66)
  t.equal(dropsIn(`${root}/spool`).length, 1)
})

t.test('within a workspace the outbox is used, and the mirror in sent/ tells the id', async (t) => {
  const root = organisation(t)
  const cwd = `${root}/workspaces/pmo/home`
  const id = `${(Date.now() + 60_000)
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})(.{4})$/, '$1-$2')}-7000-8000-00000000abcd`
  const daemon = (async () => {
    for (;;) {
      const [name] = dropsIn(`${root}/workspaces/pmo/outbox`)
      if (name !== undefined) {
        const ref = /^ref: "?([^"\n]+)/m.exec(readFileSync(`${root}/workspaces/pmo/outbox/${name}`, 'utf8'))?.[1] ?? ''
        renameSync(`${root}/workspaces/pmo/outbox/${name}`, `${root}/taken`)
        deliver(root, { id, holder: 'pmo', folder: 'sent', head: { from: 'pmo', to: 'legal', status: 'open', ref } })
        return
      }
      await wait(5)
    }
  })()
  const { status, out } = await penny(['send', 'legal', '-m', 'x', '--json'], { cwd })
  await daemon
  t.equal(status, 0)
  t.match(objects(out), [{ schema: 'penny/send/1', state: 'admitted', ids: [id] }])
  t.same(dropsIn(`${root}/spool`), [])
})

t.test('a run does not wait: exit 75, and nothing is sent', async (t) => {
  const root = organisation(t)
  const { status, err } = await penny(['send', 'legal', '-m', 'x', '--wait'], { cwd: root, env: { PENNY_AGENT: 'pmo', PENNY_RUN: 'r1', PENNY_ROOT: root } })
  t.equal(status, 75)
  t.match(err, /blocked_on/)
  t.same(dropsIn(`${root}/workspaces/pmo/outbox`), [])
})

t.test('where a run would wait, the fix carries the body, for standard input is read', async (t) => {
  const root = organisation(t)
  const ref = /\b[a-z0-9]{8}-[a-f0-9]{12}\b/g
  for (const [input, args, fixed] of [
    ['hi\n', ['legal', '--wait'], 'send --ref REF --message hi legal'],
    ["it's\nlong", ['--wait', '--', 'legal'], "send --ref REF --message $'it\\047s\\012long' -- legal"],
    ['- one\n', ['legal', '--wait', '--ref', 'r1'], "send '--message=- one' legal --ref r1"],
    ['', ['legal', '-s', 'Sign', '--wait'], "send --ref REF --message '' legal -s Sign"],
    ['x'.repeat(5_000), ['legal', '--wait'], 'send --ref REF legal < FILE'],
  ] as const) {
    const { status, err } = await penny(['send', ...args], { input, cwd: root, env: { PENNY_RUN: 'r' } })
    t.equal(status, 75)
    t.equal(/fix: penny (.*) && penny settle "\$PENNY_ID" blocked --on (?:REF|r1)\n$/.exec(err.replaceAll(ref, 'REF'))?.[1], fixed)
  }
  const none = await penny(['send', 'legal', '--wait'], { cwd: root, env: { PENNY_RUN: 'r' } })
  t.match(none, { status: 65, err: /fix: penny send --message 'the text' legal --wait\n$/ }, 'what would be refused without waiting is refused first')
})

t.test('with the daemon down --wait exits 69 before anything is sent', async (t) => {
  const root = organisation(t)
  t.equal((await penny(['send', 'legal', '-m', 'x', '--wait', '--root', root])).status, 69)
  t.same(dropsIn(`${root}/spool`), [])
})

t.test('a drop folder that is not there yet is made as the daemon would make it', async (t) => {
  const root = organisation(t)
  renameSync(`${root}/spool`, `${root}/gone`)
  t.equal((await penny(['send', 'legal', '-m', 'x', '--root', root])).status, 0)
  t.equal(statSync(`${root}/spool`).mode & 0o7777, 0o1733)
})

t.test('an answer without a word, a file or an end is no answer', async (t) => {
  const root = organisation(t)
  deliver(root, { id: idOf('a1b2'), holder: 'legal', folder: 'cur' })
  const reply = (...more: string[]): ReturnType<typeof penny> => penny(['reply', 'a1b2', '--agent', 'legal', '--root', root, ...more], { input: ' \n' })
  const none = await reply()
  t.equal(none.status, 65)
  t.match(none.err, /there is nothing to send[\s\S]*fix: penny reply --message 'the answer' a1b2 --agent legal --root \S+\n/)
  t.equal((await reply('--settles', 'done')).status, 0, 'the end says enough')
})

t.test('fixes of set name the message that was named', async (t) => {
  const root = organisation(t)
  const fix = async (...words: string[]): Promise<string | undefined> => /fix: .*/.exec((await penny(['set', 'a1b2', ...words], { cwd: root })).err)?.[0]
  t.equal(await fix('priority'), 'fix: penny set a1b2 priority=high')
  t.equal(await fix('prioirty=low'), 'fix: penny set a1b2 priority=low')
  t.equal(await fix('status=done'), 'fix: penny settle a1b2 done')
})
