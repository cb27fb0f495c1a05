/**
 * Which codes of the fault table a test really causes. Counted is what makes a test fail when the alert does not come, and nothing else:
 * within an awaited `until(…)`, which throws when what it looks for stays away,
 *   - `alertOf(<organisation>.root, 'code', …)`, which reads `spool/alerts/<code>.*.md`: not behind `!`, and no side of `||`, `??` or `?:`;
 *   - a comparison `<alert>.code === 'code'` of what `alertsOf` found there;
 *   - `alertOf(<organisation>.root, <row>.code, …)` in a loop over a table: each `{ code: 'code', … }` of it, or of what it was made from.
 * Only where a whole daemon runs on real files: the built command in test/e2e and test/root, the wired daemon under a clock turned by
 * hand in test/daemon. A test that is marked `todo`, or skipped without a reason that is asked for when it runs, shows nothing.
 */
import ts from 'typescript'
import type { Source } from './tree.ts'

const WHOLE = /^test\/(e2e|root|daemon)\/[^/]+\.test\.ts$/

export function causedIn({ path, text }: Source): string[] {
  if (!WHOLE.test(path) || (path.startsWith('test/daemon/') && !text.includes('turnedHouse('))) return []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = new Set<string>()
  walk(file, (node) => {
    if (isSkipped(node)) return false
    if (ts.isCallExpression(node) && nameOf(node.expression) === 'until' && ts.isAwaitExpression(node.parent)) {
      for (const code of awaitedIn(node, file)) found.add(code)
      return false
    }
    return true
  })
  return [...found]
}

function awaitedIn(until: ts.CallExpression, file: ts.SourceFile): string[] {
  const codes: string[] = []
  walk(until, (node) => {
    if (isWayOut(node)) return false
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken) {
      if (until.getText().includes('alertsOf(') && nameOf(node.left) === 'code' && ts.isStringLiteral(node.right)) codes.push(node.right.text)
    } else if (ts.isCallExpression(node) && nameOf(node.expression) === 'alertOf') {
      const [root, code] = node.arguments
      if (!root || !code || nameOf(root) !== 'root') return true
      if (ts.isStringLiteral(code)) codes.push(code.text)
      else if (ts.isPropertyAccessExpression(code) && nameOf(code) === 'code') codes.push(...rowsOf(file, code))
    }
    return true
  })
  return codes
}

/** The rows of the table through which the loop around goes. */
function rowsOf(file: ts.SourceFile, { expression: row }: ts.PropertyAccessExpression): string[] {
  const loop = ts.findAncestor(row, (node): node is ts.ForOfStatement => ts.isForOfStatement(node) && wordsIn(node.initializer).has(row.getText()))
  const made = new Map<string, ts.Expression>()
  walk(file, (node) => {
    if (ts.isVariableDeclaration(node) && node.initializer) made.set(node.name.getText(), node.initializer)
    return true
  })
  const tables = loop ? [loop.expression] : []
  // It grows as what each was made from is found.
  for (const table of tables)
    for (const word of wordsIn(table)) {
      const from = made.get(word)
      if (from && !tables.includes(from)) tables.push(from)
    }
  const codes: string[] = []
  for (const table of tables)
    walk(table, (node) => {
      if (ts.isPropertyAssignment(node) && node.name.getText() === 'code' && ts.isStringLiteral(node.initializer)) codes.push(node.initializer.text)
      return true
    })
  return codes
}

function wordsIn(node: ts.Node): Set<string> {
  const words = new Set(ts.isIdentifier(node) ? [node.text] : [])
  walk(node, (one) => {
    if (ts.isIdentifier(one)) words.add(one.text)
    return true
  })
  return words
}

/** Through these the wait ends without the alert. */
function isWayOut(node: ts.Node): boolean {
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken
  if (ts.isConditionalExpression(node)) return true
  const either = [ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken]
  return ts.isBinaryExpression(node) && either.includes(node.operatorToken.kind)
}

/** `t.skip(…)`, `t.todo(…)`, and the options `skip: true`, `todo: …` of a test. */
function isSkipped(node: ts.Node): boolean {
  if (!ts.isCallExpression(node)) return false
  if (ts.isPropertyAccessExpression(node.expression) && ['skip', 'todo'].includes(node.expression.name.text)) return true
  return node.arguments.some((argument) => ts.isObjectLiteralExpression(argument) && argument.properties.some(isMark))
}

function isMark(property: ts.ObjectLiteralElementLike): boolean {
  if (!ts.isPropertyAssignment(property)) return false
  const { initializer } = property
  if (property.name.getText() === 'todo') return true
  return property.name.getText() === 'skip' && (initializer.kind === ts.SyntaxKind.TrueKeyword || ts.isStringLiteral(initializer))
}

/** The last word of `a`, `b.a`. */
function nameOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text
  return ts.isPropertyAccessExpression(node) ? node.name.text : ''
}

/** Goes on below a node only where `each` says so. */
function walk(node: ts.Node, each: (node: ts.Node) => boolean): void {
  ts.forEachChild(node, (child) => {
    if (each(child)) walk(child, each)
  })
}
