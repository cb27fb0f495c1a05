import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { makeCauses } from '../../src/wake/causes.ts'

const run = (name: string): MessageId => name as MessageId
const cfo = 'cfo' as Name

t.test('what appears while a run goes on has its hops; of several runs, the most', async (t) => {
  const causes = makeCauses()
  t.equal(causes.hopsAt('cfo', 1_000_000), undefined)
  causes.began(run('a'), cfo, 3, 1_000_000)
  causes.began(run('b'), cfo, 7, 1_010_000)
  t.equal(causes.hopsAt('cfo', 999_000), undefined, 'before it')
  t.equal(causes.hopsAt('cfo', 999_995), 3, 'a file of its first moment bears the time of the tick before')
  t.equal(causes.hopsAt('cfo', 1_005_000), 3)
  t.equal(causes.hopsAt('cfo', 1_010_000), 7)
  t.equal(causes.hopsAt('legal', 1_010_000), undefined, 'another agent')
  causes.ended(run('b'), cfo, 1_020_000)
  t.equal(causes.hopsAt('cfo', 1_020_000), 7, 'looked at later, but dropped then')
  t.equal(causes.hopsAt('cfo', 1_021_000), 3)
  causes.ended(run('a'), cfo, 1_030_000)
  t.equal(causes.hopsAt('cfo', 1_034_000), 3, 'what it left behind')
  t.equal(causes.hopsAt('cfo', 1_040_000), undefined)
})

t.test('runs of more than an hour ago, and more than a thousand, are forgotten', async (t) => {
  const causes = makeCauses()
  causes.began(run('old'), cfo, 9, 0)
  causes.ended(run('old'), cfo, 1_000)
  causes.began(run('new'), cfo, 1, 3_602_000)
  t.equal(causes.hopsAt('cfo', 500), undefined)
  for (let i = 0; i < 1_000; i++) causes.began(run(`r${i}`), cfo, 2, 3_700_000 + i)
  t.equal(causes.hopsAt('cfo', 3_650_000), undefined)
  t.equal(causes.hopsAt('cfo', 3_701_500), 2)
})
