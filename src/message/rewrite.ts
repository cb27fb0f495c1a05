/** Changes single keys of any front matter in its text. */
import { type Edits, rewriteBy } from '../core/rewrite.ts'
import { layOut } from './layout.ts'

/**
 * Sets top-level keys (undefined removes one) and returns the new text; a text without front matter gets one. Throws where the text's
 * front matter cannot be parsed: nobody asks for that, so it is our mistake.
 */
export function rewrite(text: string, edits: Edits): string {
  return rewriteBy(layOut, text, edits)
}
