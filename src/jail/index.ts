/**
 * Jails: what an agent's programs see of the machine, and how a program is started in there (contract, page 5).
 *
 * Given: what one agent's jail shows (`Jail`), what the machine has for it (`Host` of system/), a look at folders of others, a program.
 * Returns: the words that start it: bwrap(1) with namespaces of its own, a filter of system calls, limits, and files that are made
 * up. Pure: nothing is started or looked at here.
 * When it fails: `faultOfHost` says why this machine cannot have any. What bwrap itself refuses (a mount that is not there, user
 * namespaces that are closed) shows when it is started: it then never says that the program has ended (`readStatus`).
 * There is no weaker jail to fall back to.
 */
export { filterFor } from './filter.ts'
export { gatewayEnvironment, SOCKET_NAME } from './gateway.ts'
export { type Look, lookWith } from './guard.ts'
export type { Jail } from './jail.ts'
export { type Enclosed, enclose, faultOfHost, INSTALL_BWRAP, JAIL_PATH, type Program } from './line.ts'
export { type JailFault, type Ready, readyJail } from './mounts.ts'
export { behind, HOME_AT, RUNNERS_AT, shownAt } from './places.ts'
export { readStatus, type Said } from './status.ts'
