/** Which path lies in which; both absolute, without `.`, `..` or doubled slashes. */

/** Of a root: what no jail may show. */
const CLOSED = ['policies', 'spool', 'workspaces', '.penny']

export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}

/** Whether whoever is shown this path sees the organisation itself: its root, something above it, or a part that is closed. */
export function showsOrganisation(path: string, root: string): boolean {
  const below = root === '/' ? '' : root
  return isWithin(root, path) || CLOSED.some((folder) => isWithin(path, `${below}/${folder}`))
}
