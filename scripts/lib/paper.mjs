/**
 * What the demo prints: headings, prose, what is typed, what comes out, what was checked. Colour only on a terminal and
 * never as the only sign; NO_COLOR is obeyed.
 */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }
/** Prose is wrapped at this column; what programs print is not. */
const WIDTH = 96

export function makePaper(stream, colour) {
  const dye = (code, text) => (colour ? `\x1b[${CODES[code]}m${text}\x1b[0m` : text)
  const line = (text = '') => stream.write(`${text}\n`)
  const indented = (text, by) => text.replace(/^(?=.)/gm, ' '.repeat(by))

  return {
    title: (text) => line(`\n${dye('bold', `== ${text}`)}`),
    prose: (text) => line(`\n${wrapped(text)}`),
    /** Who types it stands before the $; the person does, where nobody is named. */
    typed: (who, command) => {
      const prompt = who ? `  ${who} $ ` : '  $ '
      const [first, ...more] = command.split('\n')
      line(`${dye('dim', prompt)}${dye('cyan', first)}`)
      for (const next of more) line(`${dye('dim', '  > ')}${dye('cyan', next)}`)
    },
    output: (text) => {
      if (text.trim() !== '') line(indented(text.trimEnd(), 4))
    },
    checked: (text) => line(`  ${dye('green', 'ok')} ${text}`),
    alert: ({ code, sentence, fix }) => {
      line(`  ${dye('yellow', `! ${code}`)}: ${sentence}`)
      line(`    mend: ${dye('cyan', fix)}`)
    },
    /** Rows of cells, as wide as their longest; `notes[i]` stands below row i. */
    table: (header, rows, notes) => {
      const widths = header.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at].length)))
      const laid = (row) => `  ${row.map((cell, at) => cell.padEnd(widths[at])).join('  ')}`.trimEnd()
      line()
      line(dye('dim', laid(header)))
      rows.forEach((row, at) => {
        line(laid(row))
        const note = notes[at]
        if (note) line(`      ${dye('yellow', `! ${note.code}`)}  mend: ${dye('cyan', note.fix)}`)
      })
    },
    failure: (text) => dye('red', text),
  }
}

function wrapped(text) {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1
    if (lines[last].length + word.length >= WIDTH) lines.push(word)
    else lines[last] += lines[last] === '' ? word : ` ${word}`
  }
  return lines.join('\n')
}
