/** An organisation that is sound, to be spoilt one file at a time. */
import { describeProblem, filesFrom, loadConfig } from '../../src/config/index.ts'
import type { Config } from '../../src/core/config.ts'

export const SOUND: Readonly<Record<string, string>> = {
  'org.yaml': 'name: acme\npostmaster: operator\n',
  'people/operator.md': '---\nuser: alice\n---\n',
  'agents/ceo.md': '---\ntitle: Chief\n---\nYou decide.\n',
  'agents/cfo.md': '---\nmanager: ceo\n---\nYou count.\n',
  'agents/legal.md': '---\nmanager: ceo\nmay_write_to: [ceo, "@finance"]\nrunner:\n  command: [./handle.sh]\n---\nYou review.\n',
  'groups/finance.yaml': 'members: [cfo]\n',
  'runners/handle.sh': '#!/bin/sh\n',
}

/** `undefined` takes a file away. */
export function organisation(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const files: Record<string, string> = {}
  for (const [path, text] of Object.entries({ ...SOUND, ...changes })) if (text !== undefined) files[path] = text
  return files
}

/** The lines an operator would be shown; none where the organisation is sound. */
export function complaints(changes: Readonly<Record<string, string | undefined>>): string[] {
  const loaded = loadConfig(filesFrom(organisation(changes)), '/policies')
  return loaded.ok ? [] : loaded.problems.map(describeProblem)
}

export function configOf(changes: Readonly<Record<string, string | undefined>> = {}): Config {
  const loaded = loadConfig(filesFrom(organisation(changes)), '/policies')
  if (!loaded.ok) throw new Error(loaded.problems.map(describeProblem).join('\n'))
  return loaded.config
}
