/** The official client, at a provider of its own that ends with the test. */
import Anthropic from '@anthropic-ai/sdk'
import type { Test } from 'tap'
import { KEY, type Options, type Provider, startProvider } from './provider.ts'

export const MODEL = 'claude-opus-4-8'

export type Ask = Parameters<Anthropic['messages']['create']>[0] & { stream?: false }

export async function started(t: Test, options: Options = {}): Promise<Provider> {
  const provider = await startProvider(options)
  t.teardown(() => provider.close())
  return provider
}

export function clientOf(provider: Provider, apiKey = KEY, maxRetries = 0): Anthropic {
  return new Anthropic({ apiKey, baseURL: provider.url, maxRetries, authToken: null })
}

export function ask(words = 'Hello', more: Partial<Ask> = {}): Ask {
  return { model: MODEL, max_tokens: 1000, messages: [{ role: 'user', content: words }], ...more }
}

/** A prompt of about so many tokens, as this provider counts. */
export function long(tokens: number): string {
  return 'word'.repeat(tokens)
}

export async function failure(promise: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Anthropic.APIError) return error
    throw error
  }
  throw new Error('it was answered')
}
