/** The table of hostile drops: page 5, "What must hold". */
import type { Case } from '../suite/case.ts'
import { ATTACHED } from './attached.ts'
import { CLAIMS } from './claims.ts'
import { CODE } from './code.ts'
import { KINDS } from './kinds.ts'
import { MOMENTS } from './moments.ts'
import { NAMES } from './names.ts'
import { PLACES } from './places.ts'
import { YAML } from './yaml.ts'

export const TABLE: Readonly<Record<string, readonly Case[]>> = {
  kinds: KINDS,
  moments: MOMENTS,
  places: PLACES,
  code: CODE,
  yaml: YAML,
  claims: CLAIMS,
  names: NAMES,
  attachments: ATTACHED,
}
