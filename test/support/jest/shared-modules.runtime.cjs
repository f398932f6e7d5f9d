/**
 * Jest's runtime for tests that share the modules of their worker: Node itself loads test files and all that they import,
 * each module once a worker, where Jest's own runtime would load the whole service anew for each file (3 CPU seconds).
 * Modules cannot be mocked, and what a module keeps outlives the file; test files themselves are run anew each time.
 */
const { readFileSync } = require('node:fs');
const { fileURLToPath, pathToFileURL } = require('node:url');

/** Where jest-circus keeps the handlers of the file before. */
const HANDLERS = Symbol.for('EVENT_HANDLERS');

let filesRun = 0;
let loader = null;

/** The source maps of the TypeScript that `ts-loader.mjs` has compiled, by the path or URL of the file. */
class KeptSourceMaps extends Map {
  get(path) {
    const file = path.startsWith('file:') ? fileURLToPath(path) : path.replace(/\?.*$/, '');
    if (loader === null || !file.endsWith('.ts')) return undefined;
    return `${loader.keptAt(file, readFileSync(file))}.map`;
  }
}

class SharedModulesRuntime {
  #testPath;

  constructor(_config, _environment, _resolver, _transformer, _cache, _coverage, testPath) {
    this.#testPath = testPath;
  }

  /** jest-circus, which begins with no tests whenever it is loaded. */
  requireInternalModule(path) {
    delete globalThis[HANDLERS];
    delete require.cache[path];
    return require(path);
  }

  requireModule(path) {
    return require(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  /** A test file is run; of a module that is set up for each file, the function that it exports by default. */
  async unstable_importModule(path) {
    loader ??= await import('../ts-loader.mjs');
    await import('../register-typescript.mjs');
    const url = pathToFileURL(path);
    if (path === this.#testPath) {
      filesRun += 1;
      url.search = `?run=${filesRun}`;
    }
    const module = await import(url.href);
    if (path !== this.#testPath) await module.default();
  }

  setGlobalsForRuntime() {}

  enterTestCode() {}

  leaveTestCode() {}

  getSourceMaps() {
    return new KeptSourceMaps();
  }

  getAllCoverageInfoCopy() {
    return undefined;
  }

  teardown() {}
}

module.exports = { default: SharedModulesRuntime, __esModule: true };
