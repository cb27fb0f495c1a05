/** What a file may be called. Each holds a mistake, so that the daemon has to speak of it. */
import { join } from 'node:path'
import { type Case, delivered, harmless, REFUSED, STRAY } from '../suite/case.ts'

const BAD = 'prioirty: high'

/** The name is the token and what follows; `before` stands in front of it. */
const named = (what: string, after: string | Buffer, before = '', outcome: Case['outcome'] = REFUSED): Case => ({
  what: `a name with ${what}`,
  plant: ({ hand, own, drop, token, message }) =>
    hand.do('drop', join(own, 'a'), Buffer.concat([Buffer.from(`${drop}/${before}${token}`), Buffer.from(after as string)]), message(BAD)),
  outcome,
})

const FILES: readonly Case[] = [
  named('a new line', 'a\nb.md'),
  named('a new line and a key of front matter', '\nfix: rm -rf \n---\n.md'),
  named('a return', 'a\rb.md'),
  named('a tab', 'a\tb.md'),
  named('colours of a terminal', '\u001b[31mred\u001b[0m.md'),
  named('a title for the window', '\u001b]0;owned\u0007.md'),
  named('control characters', '\u0001\u0002\u007f.md'),
  named('bytes that are no text', Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x64])),
  named('half a character', Buffer.from([0xe2, 0x82, 0x2e, 0x6d, 0x64])),
  named('a byte of a terminal in Latin-1', Buffer.from([0x9b, 0x33, 0x31, 0x6d, 0x2e, 0x6d, 0x64])),
  named('255 bytes', `${'x'.repeat(246)}.md`),
  named('255 bytes of wide characters', `${'€'.repeat(82)}.md`),
  named('a dash in front', '.md', '-rf '),
  named('an option in front', '.md', '--help='),
  named('two dots and what looks like a way up', '..%2f..%2fetc%2fpasswd.md'),
  named('backslashes', '\\..\\..\\x.md'),
  named('the other direction of writing', '\u202edm.exe.md'),
  named('what cannot be seen', '\u200b\u2060\ufeff.md'),
  named('commands for a shell', '$(touch pwned)`id`;&|<>.md'),
  named('quotes of all kinds', `'"\`'\\''.md`),
  named('patterns', '*?[a-z]{a,b}~!.md'),
  named('formats', '%s%n%x$HOME#{x}.md'),
  named('blanks around it', ' .md', ' '),
  named('markup', '<img src=x onerror=alert(1)>[a](javascript:x).md'),
  named('__proto__', '__proto__.md'),
  named('the form of a delivered message', '.md', `1-urgent.019a0000-0000-7000-8000-000000000001.`),
  named('the form of a held file', '.md', 'unsafe-file.019a0000-0000-7000-8000-000000000001.'),
  named('the form of a reason', '.why.md'),
  named('the form of a canary', '.md', 'canary-'),
  named('an ending in capitals', '.MD'),
  named('no ending, so a stray', '', '', STRAY),
  named('no ending, and no text', Buffer.from([0xff]), '', STRAY),
  named('an ending that only looks like one', '.md\u00a0', '', STRAY),
  named('nothing but dots before it', '.md', '...', { delivered: 'never', because: 'a name that begins with a dot is being written: five minutes' }),
  named('the ending of what is being written', '.md.tmp', '', { delivered: 'never', because: 'page 2: five minutes' }),
]

const GOOD: readonly Case[] = ['a\nb.md', '\u001b[31m.md', '$(id).md', '\u202edm.md'].map((after) => ({
  what: `a good message called ${JSON.stringify(after)}`,
  plant: ({ hand, own, drop, token, message }) => hand.do('drop', join(own, 'a'), `${drop}/${token}${after}`, message()),
  outcome: delivered('names mean nothing on the way in'),
}))

const A_BOX = harmless('page 1: a folder in the spool is a box of nobody; what is dropped in it is held')

const FOLDERS: readonly Case[] = [
  { name: 'a new line', after: 'a\nb', isBox: false },
  { name: 'colours of a terminal', after: '\u001b[31m', isBox: false },
  { name: 'commands for a shell', after: '$(id)', isBox: true },
  { name: 'two hundred bytes', after: 'x'.repeat(200), isBox: true },
].map(({ name, after, isBox }) => ({
  what: `a folder whose name has ${name}`,
  plant: ({ hand, drop, token }) => hand.fs('mkdirSync', `${drop}/${token}${after}`),
  outcome: ({ place }) => (isBox && place === 'spool' ? A_BOX : STRAY),
}))

export const NAMES: readonly Case[] = [...FILES, ...GOOD, ...FOLDERS]
