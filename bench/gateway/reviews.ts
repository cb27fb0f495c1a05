/** What twelve Claude Codes are at: a review each. The provider runs this as its script, the bench reads tasks and files of it. */
import type { Script } from '../../test/support/provider/options.ts'
import { createReview } from '../../test/support/review.ts'

const SECTIONS = 3

/** Two requests a section, one for the answer. */
export const reviews = [...'abcdefghijkl'].map((letter) => ({ name: `paper-${letter}`, ...createReview({ name: `paper-${letter}`, sections: SECTIONS }) }))

const script: Script = async (asked) => {
  for (const review of reviews) {
    const told = await review.script(asked)
    if (told) return told
  }
  return undefined
}

export default script
