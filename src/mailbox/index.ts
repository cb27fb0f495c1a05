/**
 * Where mail lies: the grammar of names, the layout of the root, pinned folders, and the ledger of what is not settled.
 *
 * Given: a disk and paths.
 * Returns: names that sort by urgency and age; for each folder its owner and mode; paths that a swapped folder cannot
 * redirect; per message the last state that daemon and holder agreed on.
 * Nothing here decides anything about a message.
 * When it fails: the system's errors come through, except that a file or folder that is not there is `undefined` or
 * empty where the name says so (`statOrNothing`, `listOrNothing`).
 */
export { mailFrom } from './admitted.ts'
export { type Finder, makeFinder } from './finder.ts'
export {
  type Folders,
  findById,
  isGone,
  isLeased,
  isRacy,
  isSameVersion,
  leadsNowhere,
  listOrNothing,
  markOf,
  monthsAmong,
  openFolderOrNothing,
  openUnlessLeased,
  pinFolders,
  statOrNothing,
} from './folders.ts'
export { type Handed, type HandOver, handOver } from './handover.ts'
export {
  agentRules,
  type Contents,
  gatewayRules,
  type Layout,
  layoutOf,
  personRules,
  type Rule,
  rootRules,
  SWAPPED,
  socketRule,
  spoolBoxRules,
} from './layout.ts'
export { byService, digestOf, type FileMark, isOpenTask, type Ledger, type Mail, makeLedger, NONE } from './ledger.ts'
export {
  explainedBy,
  type FileName,
  formatFileName,
  formatHeldName,
  isDraftName,
  isMessageName,
  isMonth,
  parseFileName,
  parseHeldName,
  whyBeside,
} from './names.ts'
export { asideFor, type Deviation, type Owners, ownerOf, provision } from './provision.ts'
