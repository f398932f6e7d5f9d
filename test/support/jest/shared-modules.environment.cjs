/** Lines of one failure that are shown; what differs in a whole log fills ten thousands. */
const MOST_LINES = 400;

/** Leaves out the middle of what a failed test says. */
function shorten(error) {
  if (typeof error?.stack !== 'string') return;
  const lines = error.stack.split('\n');
  const half = MOST_LINES / 2;
  if (lines.length <= MOST_LINES) return;
  const omitted = `… ${lines.length - MOST_LINES} lines left out …`;
  error.stack = [...lines.slice(0, half), omitted, ...lines.slice(-half)].join('\n');
}

/**
 * Jest's environment for tests that run in the process itself, not in a context of their own. What Jest and a test file
 * change in the process is put back when the file has ended: environment variables, `console` and `process.exit`.
 * `env` among the `testEnvironmentOptions` of a project is set for its files.
 */
module.exports = class SharedModulesEnvironment {
  global = globalThis;
  #before = { console: globalThis.console, exit: process.exit, env: { ...process.env } };

  constructor({ projectConfig }) {
    Object.assign(process.env, projectConfig.testEnvironmentOptions.env);
  }

  getVmContext() {
    return null;
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  async setup() {}

  handleTestEvent({ name, test }) {
    if (name === 'test_done') for (const error of test.errors.flat()) shorten(error);
  }

  async teardown() {
    const { console, exit, env } = this.#before;
    globalThis.console = console;
    process.exit = exit;
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  }
};
