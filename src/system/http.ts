/** The shapes of requests and answers, for rooms that are handed them. */
export type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
