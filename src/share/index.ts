/**
 * Shares what a provider allows among the agents that want to send; knows nothing of HTTP, and nothing waits in here.
 *
 * Given: a monotonic clock, chance, the limits that are set; wants as they come, and how the provider answers each.
 * Returns: `take` says what may be sent now, `waitMs` when to ask again. Strictly by rank, but urgent has a cap and who waited long gets turns;
 * within a rank by weighted fair shares of whichever limit an agent uses most. Never more than the known limits; what is not told is
 * learned from headers and refusals. A pool is one upstream's: `mayTry` tells its caller when a fallback is the better place.
 * When it fails: it does not. What a header says may be anything; unknown keys are ignored; a key that is submitted twice is a
 * mistake of ours and throws.
 */
export { createPool, type Pool } from './pool.ts'
export type { Amounts, Answer, BreakerReport, Key, Levels, Meter, MeterReport, PoolGiven, PoolReport, Usage, Want } from './types.ts'
