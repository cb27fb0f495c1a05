// Loaded before each test file by scripts/lib/tests.mjs: V8 counts for this process alone what is run. Node would hand the folder
// on to every process below, those of other users and of agents too; test/e2e/coverage.ts gives it to those that count.
const { NODE_V8_COVERAGE: folder } = process.env
if (folder) {
  delete process.env.NODE_V8_COVERAGE
  process.env.TEST_COVERAGE = folder
}
