/** How full a context is, in percent of its window (contract, page 6). */

/** People are told. */
export const HIGH = 70
/** Its holder is told to write a checkpoint. */
export const ORDERED = 80
/** Nobody is kept waiting for that any more: an answer, and a turn of tools, may still come. */
export const NEARLY_FULL = 92
