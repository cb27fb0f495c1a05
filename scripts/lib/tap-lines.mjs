// What the TAP of one test file says: https://testanything.org

/** The failed and skipped lines of one file's TAP, failures with the YAML that tap prints after them. */
export function readBlock(lines) {
  const failed = []
  const skipped = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    const found = /^( *)(not ok|ok) \d+(?: - (.*?))?(?: # (SKIP|TODO|time=)(.*))?$/i.exec(line.replace(/ \{$/, ''))
    if (!found) continue
    const [, indent, outcome, title = '', directive = '', reason = ''] = found
    if (/^(skip|todo)$/i.test(directive)) skipped.push(`${title.trim()}${reason ? ` (${reason.trim()})` : ''}`)
    else if (outcome === 'not ok') {
      // A test that failed because of what is in it has been explained by then.
      const because = isParent(lines, at, indent.length) ? [] : diagnosis(lines, at + 1, indent.length)
      failed.push([line.trimStart(), ...because].join('\n'))
    }
  }
  return { failed, skipped }
}

/** The result of a subtest follows its own lines, which are deeper. */
function isParent(lines, at, indent) {
  const before = lines.slice(0, at).findLast((line) => line.trim() !== '')
  return before !== undefined && before.search(/\S/) > indent && before.trim() !== '...'
}

function diagnosis(lines, from, indent) {
  if (lines[from]?.trim() !== '---') return []
  const end = lines.findIndex((line, at) => at > from && line === `${' '.repeat(indent + 2)}...`)
  return lines.slice(from + 1, end < 0 ? from + 1 : end).map((line) => line.slice(indent))
}

/** The sums of the whole file; undefined where it did not come to its end. */
export function countsIn(lines) {
  const [, inside] = /^# \{ (.*) \}$/.exec(lines.findLast((line) => line.startsWith('# { total: ')) ?? '') ?? []
  return inside === undefined ? undefined : Object.fromEntries([...inside.matchAll(/(\w+): (\d+)/g)].map(([, name, count]) => [name, Number(count)]))
}
