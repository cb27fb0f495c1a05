/** The providers' keys, in memory and nowhere else; one that its provider refused is not sent again. */

export type Keys = Readonly<{
  set: (provider: string, key: string | undefined) => void
  /** undefined: there is none that may be sent. */
  of: (provider: string) => string | undefined
  refused: (provider: string) => void
  stateOf: (provider: string) => 'there' | 'missing' | 'refused'
}>

/** What a header can hold; anything else would be an error in each try. */
const FIT = /^[\x21-\x7e]{1,4096}$/

export function createKeys(): Keys {
  const keys = new Map<string, string>()
  const refused = new Set<string>()
  return {
    set: (provider, key) => {
      // The daemon, too, takes back what was refused.
      if (key !== undefined) refused.delete(provider)
      if (key !== undefined && FIT.test(key)) keys.set(provider, key)
      else keys.delete(provider)
    },
    of: (provider) => keys.get(provider),
    refused: (provider) => {
      if (keys.delete(provider)) refused.add(provider)
    },
    stateOf: (provider) => (keys.has(provider) ? 'there' : refused.has(provider) ? 'refused' : 'missing'),
  }
}
