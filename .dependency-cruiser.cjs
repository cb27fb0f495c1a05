// The house: who may see whom (ARCHITECTURE.md). A room sees only floors below its own and enters another room by its face.
const floors = require('./test/tidy/floors.json')

const rooms = Object.keys(floors)
const folder = (names) => `^src/(${names.join('|')})/`
const outsideWorld = ['system', 'daemon', 'cli', 'runners']

/** Node's own modules that look at or act on the world; what is left (path, crypto, util, buffer, url …) computes. */
const worldly =
  '^(node:)?(fs|fs/promises|child_process|net|http|http2|https|tls|dgram|dns|os|process|timers|timers/promises|worker_threads|cluster|perf_hooks|readline|readline/promises|tty)$'

const floorRules = rooms
  .map((room) => ({
    name: `floor-${floors[room]}-${room}`,
    comment: `${room} is on floor ${floors[room]}: it sees only the floors below, not its neighbours`,
    severity: 'error',
    from: { path: folder([room]) },
    to: { path: folder(rooms.filter((other) => other !== room && floors[other] >= floors[room])) },
  }))
  .filter((rule) => rule.to.path !== '^src/()/')

/** Only `allowed` rooms import the package (or Node module) that `path` matches. */
const onlyIn = (name, allowed, path) => ({
  name,
  comment: `belongs to ${allowed.join(', ')} alone`,
  severity: 'error',
  from: { path: '^src/', pathNot: folder(allowed) },
  to: { path },
})

const packages = (names) => `(^|/)node_modules/(${names.join('|')})/`

module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: 'by-the-front-door',
      comment: 'another room is entered by its index.ts; core and system may be entered by file',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/(core|system)/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'no-unknown-room',
      comment: 'every room has its floor in test/tidy/floors.json',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: folder(rooms) },
    },
    {
      name: 'daemon-only-when-asked',
      comment: 'commands that only touch files must start at once: cli loads the daemon by import(), and by its face',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/daemon/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    onlyIn('gray-matter-in-message', ['message'], packages(['gray-matter'])),
    onlyIn('world-in-system', outsideWorld, worldly),
    onlyIn('wrappers-in-system', ['system'], packages(['koffi', 'chokidar', 'fast-glob', 'write-file-atomic'])),
    onlyIn('locks-and-clocks-in-system', outsideWorld, packages(['proper-lockfile', 'node-cron'])),
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'no-dev-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '(^|/)node_modules/@types/' },
    },
    { name: 'no-undeclared-packages', severity: 'error', from: { path: '^src/' }, to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] } },
    { name: 'nothing-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'], mainFields: ['main', 'types'] },
    skipAnalysisNotInRules: true,
  },
}
