/** policies/ against the machine the daemon runs on: which accounts there are, which uids are left. */
import { type Loaded, loadConfig, type Machine, readPolicies } from '../config/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { accountOf } from '../system/accounts.ts'
import type { Disk } from '../system/types.ts'
import { GATEWAY, readUids } from './uids.ts'

/** The folder as it is now. Started by root, agents have uids and files have owners: then the accounts it names must be there. */
export function readConfig(disk: Disk, layout: Layout, uid: number): Loaded {
  return loadConfig(readPolicies(disk, layout.policies), layout.policies, uid === 0 ? machineOf(disk, layout) : undefined)
}

function machineOf(disk: Disk, layout: Layout): Machine {
  const uids = readUids(disk, layout.uids)
  return {
    uidOf: (account) => accountOf('passwd', account)?.uid,
    hasGroup: (group) => accountOf('group', group) !== undefined,
    hasUid: (agent) => uids.of(agent) !== undefined,
    hasGatewayUid: uids.ofProcess(GATEWAY) !== undefined,
    nextUid: uids.next.value,
  }
}
