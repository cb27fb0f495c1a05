/** What may be asked of a provider: an exact list, compared as text. Where it is asked comes from policies/ alone. */

export type Route = Readonly<{
  kind: 'messages' | 'count' | 'models' | 'hello'
  /** As it is asked upstream, with its query. */
  path: string
  /** The agent that the path names, as programs outside a jail do. */
  agent: string | undefined
}>

const KINDS: Readonly<Record<string, Route['kind']>> = {
  'POST /v1/messages': 'messages',
  'POST /v1/messages/count_tokens': 'count',
  'GET /v1/models': 'models',
  'HEAD /': 'hello',
}
const OF_AGENT = /^\/agents\/([a-z0-9][a-z0-9_-]{0,62})(\/.*)?$/
/** What clients write there, as ?beta=true; nothing that could end a line or begin another path. */
const QUERY = /^\?[A-Za-z0-9&=%._~+,-]{0,1000}$/

/** undefined: it is not passed on. */
export function routeOf(method: string, url: string): Route | undefined {
  const cut = url.indexOf('?')
  const whole = cut < 0 ? url : url.slice(0, cut)
  const query = cut < 0 ? '' : url.slice(cut)
  const [, agent, rest = '/'] = OF_AGENT.exec(whole) ?? []
  const path = agent === undefined ? whole : rest
  const word = `${method} ${path}`
  if (!Object.hasOwn(KINDS, word) || (query !== '' && !QUERY.test(query))) return undefined
  return { kind: KINDS[word] as Route['kind'], path: `${path}${query}`, agent }
}
