/** A daemon as one writes it in an hour: it reads what lies there. The table must not hold against it, or the table is blind. */
export const NAIVE = `
const fs = require('node:fs')
const [spool, inbox] = process.argv.slice(2)
process.on('SIGTERM', () => process.exit())
setInterval(() => {
  for (const name of fs.readdirSync(spool)) {
    if (!name.endsWith('.md')) continue
    const path = spool + '/' + name
    fs.chmodSync(path, 0o644)
    const text = fs.readFileSync(path, 'utf8')
    if (/^to: /m.test(text)) fs.writeFileSync(inbox + '/' + name, text)
    fs.unlinkSync(path)
  }
}, 50)
`
