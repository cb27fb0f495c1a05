/**
 * The Messages API as data: what its requests, answers and headers say, for whoever passes them on.
 *
 * Given: headers, and bytes of bodies and of streams in any chunking, from a provider or from an agent. Both may be anything.
 * Returns: limits and how full they are (`readLevels`), what an answer means for the next request (`judgeAnswer`, `judgeStreamError`),
 * usage (`readUsage`, `createStreamReader`), what a request asks for and may cost (`readRequest`, `estimate`), whose session it is, whether
 * it compacts one, windows and prices of models. Pure: nothing is sent, kept or looked at here; times come in as parameters.
 * When it fails: it does not. What cannot be read is undefined, or not counted; memory stays bounded, time linear in the bytes.
 */
export { judgeAnswer, judgeStreamError, type Verdict } from './answers.ts'
export { type Compaction, compactionIn, OWN_ORDER } from './compaction.ts'
export { type Estimate, estimate, learn, type Memory } from './estimate.ts'
export { type Headers, type Level, type Levels, METERS, type Meter, readLevels, readRetryAfterMs } from './headers.ts'
export { costUsd, poolOf, priceOf, windowOf } from './models.ts'
export { type RequestFacts, readRequest } from './request.ts'
export { sessionOf } from './session.ts'
export { createStreamReader, type StreamReader, type StreamState, surelyBegins } from './stream.ts'
export { countedInput, readUsage, type Usage } from './usage.ts'
