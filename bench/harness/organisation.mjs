/**
 * An organisation as large as the example's thirty agents (or any other number), in a root of its own. Its agents have no runner: mail
 * arrives and stays, so that what is measured is the mail and not what an agent does with it.
 */
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {{ readonly root: string, readonly agents: readonly string[] }} Organisation */

/**
 * @typedef {object} Otherwise what is not as in the other organisations
 * @property {string} [org] more lines of org.yaml
 * @property {string} [agent] more lines of each agent's file
 * @property {import('./children.mjs').User | undefined} [owner] whose it is; else who runs the bench
 */

/** @param {string} root @param {number} count @param {Otherwise} [otherwise] @returns {Organisation} */
export const makeOrganisation = (root, count, { org = '', agent = '', owner } = {}) => {
  const policies = join(root, 'policies')
  for (const folder of ['agents', 'people', 'groups']) mkdirSync(join(policies, folder), { recursive: true })
  writeFileSync(join(policies, 'org.yaml'), `name: bench\npostmaster: operator\n${org}`)
  writeFileSync(join(policies, 'people', 'operator.md'), `---\nuser: ${owner?.uid ?? process.getuid?.() ?? 0}\n---\nLooks after the bench.\n`)
  const agents = Array.from({ length: count }, (_, n) => `agent-${String(n + 1).padStart(4, '0')}`)
  agents.forEach((name, n) => {
    writeFileSync(join(policies, 'agents', `${name}.md`), `---\ntitle: Clerk ${n + 1}\n${agent}---\nYou are clerk ${n + 1}. You keep what you are sent.\n`)
  })
  writeFileSync(join(policies, 'groups', 'first-ten.yaml'), `members: [${agents.slice(0, 10).join(', ')}]\n`)
  if (owner !== undefined) for (const name of ['', ...readdirSync(root, { recursive: true })]) chownSync(join(root, String(name)), owner.uid, owner.gid)
  return { root, agents }
}

/** @param {Organisation} organisation */
export const removeOrganisation = (organisation) => rmSync(organisation.root, { recursive: true, force: true })

/** @param {Organisation} organisation @param {string} agent @param {string} folder */
export const mailFolder = (organisation, agent, folder) => join(organisation.root, 'workspaces', agent, folder)

/** @param {Organisation} organisation */
export const inboxes = (organisation) => organisation.agents.map((agent) => mailFolder(organisation, agent, 'new'))

/** `FOLDER:RECIPIENT` for bench/c/drop: each agent writes to the next one.
 * @param {Organisation} organisation */
export const lanes = (organisation) =>
  organisation.agents.map((agent, n) => `${mailFolder(organisation, agent, 'outbox')}:${organisation.agents[(n + 1) % organisation.agents.length]}`)

/** Messages lying in new/, over all agents.
 * @param {Organisation} organisation */
export const countNew = (organisation) => inboxes(organisation).reduce((sum, folder) => sum + readdirSync(folder).length, 0)
