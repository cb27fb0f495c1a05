// Prints docs/operations.md anew from the fault table. Run it after `npm run test:compile`; a test says when it is needed.
import { writeFileSync } from 'node:fs'
import { operationsPage } from '../dist-test/src/alert/index.js'

writeFileSync(new URL('../docs/operations.md', import.meta.url), operationsPage())
