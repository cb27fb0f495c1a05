/** Commands that a person is told to paste: a name in them is somebody else's, so it is quoted, or of a kind that needs no quotes. */
import ts from 'typescript'
import type { Source } from './tree.ts'

/** Calls whose result is a word for the shell, or a whole command made of such. */
const QUOTED = new Set(['shellWord', 'shellPath', 'shortId', 'nearest', 'octal', 'keyOf', 'heldFix', 'fixByDiff', 'set', 'typedAgain', 'withOptions'])
/** Several of them. */
const EACH_QUOTED = /\.map\(shellWord\)\.join\(' '\)$/
/** What the program makes itself: ids, numbers, words of its own, what was quoted where it was named. */
const OURS =
  /^((\w+(\[0\])?\??\.)*(id|uid|pid|ino|self|word|near|fix|close|ref|status|priority|holder|task|to)( \?\? '')?|call\.name|command|\w+Word|\w+Command|EXAMPLES\[.*)$/
/** Where a call takes the command to paste. */
const FIX_AT: Readonly<Record<string, number>> = { refuse: 3, Refusal: 3, Refused: 2, wrong: 2, note: 2, fault: 3, stopDrops: 1 }

export function unquoted({ path, text }: Source): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const judge = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node)) {
      for (const { expression } of node.templateSpans)
        if (!isWord(expression))
          found.push(`${path}:${file.getLineAndCharacterOfPosition(expression.getStart()).line + 1}: \${${expression.getText()}} goes into a fix: unquoted`)
      return
    }
    if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].forEach(judge)
    if (ts.isBinaryExpression(node)) return [node.left, node.right].forEach(judge)
    if (ts.isParenthesizedExpression(node)) judge(node.expression)
  }
  const look = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && /^(fix|command)$/.test(node.name.getText())) judge(node.initializer)
    if (ts.isVariableDeclaration(node) && node.name.getText() === 'fix' && node.initializer) judge(node.initializer)
    if (ts.isFunctionDeclaration(node) && /fix/i.test(node.name?.text ?? '')) returns(node, judge)
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const fix = node.arguments?.[FIX_AT[node.expression.getText()] ?? Number.NaN]
      if (fix) judge(fix)
    }
    ts.forEachChild(node, look)
  }
  look(file)
  return found
}

function returns(node: ts.Node, judge: (node: ts.Node) => void): void {
  ts.forEachChild(node, (child) => {
    if (ts.isReturnStatement(child) && child.expression) judge(child.expression)
    else returns(child, judge)
  })
}

function isWord(expression: ts.Expression): boolean {
  if (ts.isCallExpression(expression)) return QUOTED.has(expression.expression.getText()) || EACH_QUOTED.test(expression.getText())
  if (ts.isBinaryExpression(expression)) return isWord(expression.left) && isWord(expression.right)
  if (ts.isConditionalExpression(expression)) return isWord(expression.whenTrue) && isWord(expression.whenFalse)
  if (ts.isParenthesizedExpression(expression)) return isWord(expression.expression)
  if (ts.isStringLiteral(expression)) return true
  if (ts.isTemplateExpression(expression)) return expression.templateSpans.every((span) => isWord(span.expression))
  return OURS.test(expression.getText())
}
