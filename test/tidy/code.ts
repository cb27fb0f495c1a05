/** What is looked for in the TypeScript of src/: each detector takes one file and says what is wrong with it, one line each. */
import ts from 'typescript'
import type { Source } from './tree.ts'

/** Past this, ask whether there are two nouns inside (ARCHITECTURE.md). */
const LONGEST = 300
const FACE_LINES = 5
const BANNED_NAME = /^(util|utils|helper|helpers|common|manager|managers|misc)$/
/** Where the outside world may be touched. */
const OUTSIDE = /^src\/(system|daemon|cli|runners)\//
const WORLDLY = new Set(['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'performance', 'process', 'WebSocket', 'EventSource', 'XMLHttpRequest'])

export function tooLong({ path, text }: Source): string[] {
  const lines = text.replace(/\n$/, '').split('\n').length
  return lines > LONGEST ? [`${path}: ${lines} lines; split it by meaning before it passes ${LONGEST}`] : []
}

export function badName({ path }: Source): string[] {
  return path
    .split('/')
    .map((part) => part.replace(/\..*$/, ''))
    .filter((part) => BANNED_NAME.test(part))
    .map((part) => `${path}: "${part}" says nothing; name what it does`)
}

/** A room's index.ts begins with a comment: what it is given, what it returns, what happens when it fails. */
export function faceless({ path, text }: Source): string[] {
  const comment = /^(\/\*[\s\S]*?\*\/|(?:\/\/.*\n)+)/.exec(text.replace(/^#!.*\n/, ''))?.[0] ?? ''
  const lines = comment.split('\n').filter((line) => /\w/.test(line)).length
  return lines >= FACE_LINES ? [] : [`${path}: begins with ${lines} lines of comment; a face has at least ${FACE_LINES}: given, returned, failing`]
}

/** A catch that does nothing hides a fault from everybody. */
export function swallowing(source: Source): string[] {
  return visit(source, (node) => {
    if (ts.isCatchClause(node) && node.block.statements.length === 0) return 'this catch swallows what it caught'
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'catch') {
      const [handler] = node.arguments
      const body = handler && (ts.isArrowFunction(handler) || ts.isFunctionExpression(handler)) ? handler.body : undefined
      if (body && ts.isBlock(body) && body.statements.length === 0) return 'this .catch swallows what it caught'
    }
    return undefined
  })
}

/** Clock, timers, chance, environment and network come as parameters, so that a test can turn them by hand. */
export function worldly(source: Source): string[] {
  if (OUTSIDE.test(source.path)) return []
  return visit(source, (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      const dotted = node.getText().replace(/\s/g, '')
      if (dotted === 'Date.now' || dotted === 'Math.random' || dotted.startsWith('globalThis.')) return `${dotted} belongs to system/`
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      return 'new Date() reads the clock, which belongs to system/'
    if (ts.isIdentifier(node) && WORLDLY.has(node.text) && refersToGlobal(node)) return `${node.text} belongs to system/`
    return undefined
  })
}

/** Compiled tests run from another folder: what is found beside a test's own file is not there. */
export function locatesItself(source: Source): string[] {
  // Walking up to the package.json ends at the same top from either folder.
  if (source.text.includes("'package.json'")) return []
  return visit(source, (node) => {
    if (ts.isPropertyAccessExpression(node) && ts.isMetaProperty(node.expression))
      return 'name files from the top of the project (the working directory), not from import.meta'
    return undefined
  })
}

/** Not a property, not a key, not a name that the file declares for itself. */
function refersToGlobal(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false
  if ('name' in parent && parent.name === node) return false
  if (ts.isImportSpecifier(parent) || ts.isPropertyAssignment(parent) || ts.isTypeQueryNode(parent))
    return ts.isPropertyAssignment(parent) && parent.initializer === node
  return !declares(node.getSourceFile(), node.text)
}

function declares(file: ts.SourceFile, name: string): boolean {
  let found = false
  const look = (node: ts.Node): void => {
    if (
      (ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node) || ts.isBindingElement(node) || ts.isImportSpecifier(node)) &&
      node.name?.getText() === name
    )
      found = true
    if (!found) ts.forEachChild(node, look)
  }
  look(file)
  return found
}

function visit({ path, text }: Source, judge: (node: ts.Node) => string | undefined): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const look = (node: ts.Node): void => {
    const verdict = judge(node)
    if (verdict !== undefined) found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${verdict}`)
    ts.forEachChild(node, look)
  }
  look(file)
  return found
}
