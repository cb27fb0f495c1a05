import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SEEN_MS } from '../lib/stage.mjs'

export const title = 'One of my API tokens disappeared'

const AGENT = 'platform'
const FILE = '$DESK/shared/tokens.env'
const TRICK = `workspaces/${AGENT}/outbox/tokens.md`
/** What it tries on the file that is named to it: all of it must fail. */
const ACTS = ['cat "$1"', 'ls "$2"', 'sed -i /PAYMENTS/d "$1"', 'truncate -s 0 "$1"', 'chmod 777 "$1"', 'mv "$1" mine.env', 'rm "$1"', 'ln "$1" mine.env']

export async function play(stage) {
  stage.clearHeld('unsafe-file', 'tokens.md')
  stage.prose(`An agent that brought a shared file up to date wrote it anew with the token that it knew of. The other one was gone, and no program had
    failed. Here is such a file, beside the organisation, and open to everybody; and the update, word for word.`)
  stage.write('update.sh', ['echo MAIL=tok-new > "$1"'])
  await stage.type(`mkdir -m 777 $DESK/shared; printf '%s\\n' PAYMENTS=tok-4711 MAIL=tok-old > ${FILE}; chmod 666 ${FILE}`)
  await stage.type('cat $DESK/update.sh')
  await withoutWalls(stage)
  await inItsJail(stage)
  await tricked(stage)
}

async function withoutWalls(stage) {
  stage.prose(`${AGENT} does it on a copy, without walls:`)
  await stage.type(`cp -p ${FILE} $DESK/shared/copy.env`)
  await stage.type('sh $DESK/update.sh $DESK/shared/copy.env', { as: AGENT })
  const left = await stage.type('cat $DESK/shared/copy.env')
  stage.expect(left === 'MAIL=tok-new\n', 'the update without walls did not get through')
  stage.checked('no error, and the token for payments is gone')
}

async function inItsJail(stage) {
  stage.prose(`Whatever the daemon starts for an agent runs in a jail, where its workspace is /ws and nothing else is. penny jail opens the same
    one by hand. First the update, then whatever else comes to mind:`)
  const shared = join(stage.desk, 'shared/tokens.env')
  const before = marksOf(shared)
  stage.write('harder.sh', [...ACTS, 'ls -d /ws "$3"/*'])
  await stage.type('cp $DESK/update.sh $DESK/harder.sh .', { as: AGENT })
  await refused(stage, `penny jail ${AGENT} -- sh update.sh ${FILE}`, 1)
  await refused(stage, `penny jail ${AGENT} -- sh harder.sh ${FILE} $DESK "$PWD"`, ACTS.length + 1)
  stage.expect(marksOf(shared) === before, 'the shared file is not as it was')
  await stage.type(`cat ${FILE}`)
  stage.checked('every act is refused; bytes, mode, owner and time of the file are as they were')
}

/** `times`: how often the system must say that there is no such thing. */
async function refused(stage, line, times) {
  const said = await stage.type(`${line} 2>&1 || echo "exit $?"`)
  const refusals = said.split('\n').filter((one) => /No such file|nonexistent/.test(one)).length
  stage.expect(/^exit [1-9]/m.test(said) && refusals === times, `not all of it was refused by \`${line}\``)
}

async function tricked(stage) {
  stage.prose('One thing is left: to have it fetched by somebody who may. A link to it, put into its own outbox:')
  const dropped = performance.now()
  await stage.type(`penny jail ${AGENT} -- ln -s ${FILE} ../outbox/tokens.md`)
  const { seen, ms } = await stage.until('the link is told', SEEN_MS, () => stage.alertOn('unsafe-file', TRICK), dropped)
  stage.alert(seen)
  stage.checked(`nothing of it was read, and you know of it after ${ms} ms`)
  await stage.type(seen.fix)
  await stage.type('rm spool/held/unsafe-file.*.tokens*')
  await stage.until('the alert closes with what it was about', SEEN_MS, () => !stage.alertOn('unsafe-file', TRICK))
}

function marksOf(path) {
  const { ino, mode, uid, gid, mtimeMs, ctimeMs, nlink } = statSync(path)
  return JSON.stringify([ino, mode, uid, gid, mtimeMs, ctimeMs, nlink, readFileSync(path, 'latin1')])
}
