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

  async teardown() {
    const { console, exit, env } = this.#before;
    globalThis.console = console;
    process.exit = exit;
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  }
};
