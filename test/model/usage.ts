import type { Usage } from '../../src/model/index.ts'

/** What is not said is nothing. */
export const usage = (some: Partial<Usage>): Usage => ({
  inputTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 0,
  contextTokens: 0,
  compacted: false,
  ...some,
})
