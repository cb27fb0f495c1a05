import { readFileSync } from 'node:fs'
import t from 'tap'
import { operationsPage } from '../../src/alert/index.ts'
import { FAULTS } from '../../src/core/fault.ts'

t.test('docs/operations.md is what the fault table prints (node scripts/print-operations.mjs)', async (t) => {
  const page = readFileSync('docs/operations.md', 'utf8')
  t.equal(page, operationsPage())
  for (const [code, { todo }] of Object.entries(FAULTS)) t.ok(page.includes(`### \`${code}\``) && page.includes(todo), code)
})
