/** Where an order to write a checkpoint lies, and what a hook remembers of it. */
const KEY = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
export const ORDER_END = '.context.json'
/** A hook's own memory, by session: it lies in the agent's home, so that the agent can only deceive itself. */
export const ASKED = '.checkpoint-asked.json'

/** Of a session, or of a message where a client names none. */
export function isKey(text: string): boolean {
  return KEY.test(text)
}

/** How full a context is, and since when a checkpoint is asked for. */
export const orderFile = (key: string): string => `${key}${ORDER_END}`
