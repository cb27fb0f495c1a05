/** Whether a provider's address and key are right: it is asked for its models, past the line, which is free. */
import type { Provider } from '../core/config.ts'
import { judgeAnswer, type Verdict } from '../model/index.ts'
import { createGone } from '../system/gone.ts'
import type { Clock } from '../system/types.ts'
import type { Upstream, UpstreamAnswer } from '../system/upstream.ts'
import { toProvider } from './headers.ts'
import type { Tested } from './link.ts'

export type ProbeGiven = Readonly<{
  clock: Clock
  upstream: Upstream
  keyOf: (provider: string) => string | undefined
  told: (provider: string, verdict: Verdict['kind']) => void
}>

const TOLD: ReadonlySet<Verdict['kind']> = new Set(['ok', 'bad-key', 'forbidden', 'spend-cap'])
const WITHIN_MS = 10_000
const MOST_BYTES = 1024 ** 2

export async function testProvider({ clock, upstream, keyOf, told }: ProbeGiven, provider: Provider | undefined): Promise<Tested> {
  if (!provider) return { kind: 'no-provider' }
  const key = keyOf(provider.name)
  if (key === undefined) return { kind: 'no-key' }
  const begunMs = clock.monotonic()
  const tookMs = (): number => Math.round(clock.monotonic() - begunMs)
  const late = createGone()
  const cancel = clock.after(WITHIN_MS, () => late.tell())
  try {
    const headers = toProvider(['anthropic-version', '2023-06-01'], key)
    const answer = await upstream({ baseUrl: provider.baseUrl, method: 'GET', path: '/v1/models', headers, body: Buffer.alloc(0), gone: late })
    const body = await beginningOf(answer)
    const verdict = judgeAnswer({ status: answer.status, headers: answer.headers, body }, clock.now()).kind
    // Of a key that was replaced meanwhile nobody needs to hear.
    if (TOLD.has(verdict) && keyOf(provider.name) === key) told(provider.name, verdict)
    const requestId = answer.headers['request-id']
    return { kind: 'answered', status: answer.status, verdict, ms: tookMs(), requestId: typeof requestId === 'string' ? requestId.slice(0, 200) : undefined }
  } catch (cause) {
    const { code = 'EIO' } = cause as NodeJS.ErrnoException
    return { kind: 'unreachable', why: late.isSo() ? 'ETIMEDOUT' : code, ms: tookMs() }
  } finally {
    cancel()
  }
}

async function beginningOf({ body }: UpstreamAnswer): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MOST_BYTES) break
  }
  return Buffer.concat(chunks)
}
