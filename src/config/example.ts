/** What `penny init DIR --example small|thirty` writes. */
import { filesFrom, type PolicyFiles } from './files.ts'
import { smallExample } from './small.ts'

export type ExampleFile = Readonly<{ text: string; mode: number }>

/**
 * Path relative to the root → text and mode. `small` is made in code; `thirty` is the package's own `policies/`,
 * which the caller has read with `readPolicies`.
 */
export function exampleFiles(example: { kind: 'small' } | { kind: 'thirty'; policies: PolicyFiles }): ReadonlyMap<string, ExampleFile> {
  const { files } = example.kind === 'small' ? filesFrom(smallExample()) : example.policies
  return new Map([...files].map(([path, text]) => [`policies/${path}`, { text, mode: path.startsWith('runners/') ? 0o755 : 0o644 }]))
}
