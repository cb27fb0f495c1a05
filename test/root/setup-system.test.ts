import t from 'tap'
import { onMachine } from './booted.ts'
import { whyNot } from './image.ts'

const skip = (await whyNot()) ?? false
t.setTimeout(120_000)

const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
/** A bubblewrap that finds no namespaces, as AppArmor lets it fail. */
const CLOSED = `printf '#!/bin/sh\\ncase $1 in --help) echo --perms --disable-userns ;; --version) echo bubblewrap 0.9.0 ;; *) echo "bwrap: setting up uid map: Permission denied"; exit 1 ;; esac\\n' > /usr/local/bin/bwrap
chmod 755 /usr/local/bin/bwrap
`
/** What the kernel says of itself, for this machine alone. */
const kernel = (folder: string, name: string, value: number): string =>
  `mkdir /run/${name}; echo ${value} > /run/${name}/${name}; mount --bind /run/${name} /proc/sys/${folder}\n`
const release = (text: string): string => `printf '${text}' > /run/release; mount --bind /run/release /etc/os-release\n`

const REFUSED: readonly (readonly [what: string, more: string, script: string, status: number, said: RegExp])[] = [
  [
    'another system',
    release('ID=fedora\\nPRETTY_NAME="Fedora Linux 41"\\n'),
    'scripts/setup system --root /srv/acme',
    69,
    /^setup: this is Fedora Linux 41, and scripts\/setup system knows only Debian and Ubuntu; elsewhere install bubblewrap[^\n]*\nfix: scripts\/setup run && [^\n]*penny init \/srv\/acme[^\n]*\n$/,
  ],
  [
    'somebody who is not root',
    '',
    `${AS_NOBODY} scripts/setup system --root /srv/acme --service`,
    77,
    /^setup: [^\n]*belong to root\nfix: sudo scripts\/setup system --root \/srv\/acme --service\n$/,
  ],
  [
    'user namespaces that AppArmor keeps to programs with a profile, as Ubuntu does',
    `${CLOSED}${kernel('kernel', 'apparmor_restrict_unprivileged_userns', 1)}`,
    'scripts/setup system --root /srv/acme',
    1,
    /AppArmor keeps user namespaces from bubblewrap[^\n]*uid map: Permission denied\nfix: sudo apt-get install apparmor-profiles && [^\n]*extra-profiles\/bwrap-userns-restrict[^\n]*apparmor_parser -r/,
  ],
  [
    'user namespaces that are for root alone',
    `${CLOSED}${kernel('kernel', 'unprivileged_userns_clone', 0)}`,
    'scripts/setup system --root /srv/acme',
    1,
    /kernel\.unprivileged_userns_clone=0 keeps[^\n]*\nfix: echo kernel\.unprivileged_userns_clone=1 \| sudo tee \/etc\/sysctl\.d\/60-pennypost\.conf/,
  ],
  [
    'user namespaces that are refused without a word why',
    CLOSED,
    'scripts/setup system --root /srv/acme',
    1,
    /as in many containers; bwrap: setting up uid map[^\n]*\nfix: setpriv/,
  ],
  [
    'a bubblewrap that is too old',
    `${CLOSED}sed -i s/--perms// /usr/local/bin/bwrap\n`,
    'scripts/setup system --root /srv/acme',
    1,
    /bubblewrap 0\.9\.0 is too old; 0\.5 is needed/,
  ],
  [
    'a program that somebody else may change',
    '',
    'chown 65534 dist/cli/penny.js; scripts/setup system --root /srv/acme --service',
    1,
    /^setup: root would run what others can change[^\n]*\/srv\/pennypost\/dist\/cli\/penny\.js is not root's alone\nfix: sudo cp -rT --preserve=timestamps \/srv\/pennypost \/opt\/pennypost && [^\n]*setup system --root \/srv\/acme --service\n$/,
  ],
  ['a program that agents cannot get to', '', 'chmod 0700 /srv/pennypost; scripts/setup system', 1, /\/srv\/pennypost may not be entered by everybody/],
  ['a way to the program that its group may write', '', 'chgrp 65534 /srv; chmod 0775 /srv; scripts/setup system', 1, /\/srv may be written by its group/],
  [
    'another penny in its place',
    '',
    'echo mine > /usr/local/bin/penny; scripts/setup system --root /srv/acme',
    73,
    /\/usr\/local\/bin\/penny is there and no link\nfix: sudo mv \/usr\/local\/bin\/penny /,
  ],
  [
    'a folder that holds something else',
    '',
    'mkdir /srv/acme; echo > /srv/acme/x; scripts/setup system --root /srv/acme',
    73,
    /\/srv\/acme is not empty, and holds no organisation/,
  ],
  [
    'a way to the organisation that agents cannot go',
    '',
    'mkdir -m 0700 /srv/closed; scripts/setup system --root /srv/closed/acme',
    1,
    /\/srv\/closed may not be entered by everybody\nfix: namei -l \/srv\/closed\/acme/,
  ],
  [
    'a machine without systemd',
    '',
    'scripts/setup system --root /srv/acme --service',
    69,
    /systemd does not run here[^\n]*\nfix: penny up --detach --root \/srv\/acme/,
  ],
  ['a path that a unit file cannot have', '', "scripts/setup unit --root '/srv/a b'", 64, /letters, digits/],
  ['a path that depends on where one is', '', 'scripts/setup system --root acme', 64, /begins with \//],
  ['an option that is none', '', 'scripts/setup system --here', 64, /does not know --here/],
]

for (const [what, more, script, status, said] of REFUSED)
  t.test(`scripts/setup refuses ${what}, in a sentence with what to do`, { skip }, async (t) => {
    const ended = await onMachine(t, more, script)
    t.match(ended.err, said)
    t.equal(ended.status, status)
    t.notMatch(ended.out, /ready/)
  })

t.test('scripts/setup system makes an organisation that anybody can start, once, and leaves one that is there alone', { skip }, async (t) => {
  const script = `scripts/setup system --root /srv/deep/acme
echo '# mine' >> /srv/deep/acme/policies/org.yaml
scripts/setup system --root /srv/deep/acme
penny up --detach --root /srv/deep/acme >&2
scripts/setup system --root /srv/deep/acme
stat -c '%u %a %n' /srv/deep /srv/deep/acme
tail -n 1 /srv/deep/acme/policies/org.yaml
readlink /usr/local/bin/penny
penny status --root /srv/deep/acme | head -n 1
penny down --root /srv/deep/acme >&2`
  const { out, err } = await onMachine(t, '', script)
  const once = ['linked /usr/local/bin/penny', 'made an organisation in /srv/deep/acme; it is described in /srv/deep/acme/policies']
  const start = 'ready: penny up --detach --root /srv/deep/acme'
  const ready = 'ready: penny status --root /srv/deep/acme'
  const then = ['0 755 /srv/deep', '0 755 /srv/deep/acme', '# mine', '/srv/pennypost/dist/cli/penny.js', 'small admits mail', '']
  t.same(out.split('\n'), [...once, start, start, ready, ...then], err)
})

t.test('scripts/setup run ends with a line that says what can be used now, and what is missing', { skip }, async (t) => {
  const { out, err } = await onMachine(t, '', `${AS_NOBODY} scripts/setup run\nmount --bind /dev/null /usr/bin/bwrap\n${AS_NOBODY} scripts/setup run`)
  const command = 'the command: alias penny="/srv/pennypost/dist/cli/penny.js"\n'
  t.ok(out.startsWith(`ready; ${command}missing: bubblewrap;`), `${out}${err}`)
  t.ok(out.endsWith(`\nbuilt, but no agent is started before what is missing is installed; ${command}`), out)
})

t.test('the unit names the Node, the program and the root of this machine', { skip }, async (t) => {
  const { out } = await onMachine(
    t,
    '',
    'scripts/setup unit --root /srv/acme/; mkdir /run/bin; mv /usr/local/bin/node /run/bin/; PATH=/run/bin:$PATH scripts/setup unit',
  )
  t.match(out, /\nRequiresMountsFor=\/srv\/acme\n/)
  t.match(out, /\nReadWritePaths=\/srv\/acme\n/)
  const run = (node: string, root: string): string =>
    `\nExecStart=${node} --disallow-code-generation-from-strings /srv/pennypost/dist/cli/penny.js up --root ${root}\n`
  t.ok(out.includes(run('/usr/local/bin/node', '/srv/acme')), out)
  t.ok(out.includes(run('/run/bin/node', '/var/lib/pennypost')), out)
  t.match(out, /\nEnvironment=PATH=\/usr\/local\/bin:\/usr\/bin:\/bin [\s\S]*\nEnvironment=PATH=\/run\/bin:\/usr\/local\/bin:\/usr\/bin:\/bin /)
})
