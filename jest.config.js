import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Node itself loads tests and what they test, once a worker: see the runtime. `.js` specifiers in TypeScript point at `.ts`
 * files.
 */
const common = {
  testEnvironment: '<rootDir>/test/support/jest/shared-modules.environment.cjs',
  runtime: '<rootDir>/test/support/jest/shared-modules.runtime.cjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/jest/kept-for-a-file.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
const withStores = {
  ...common,
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

/** Beside pure code in `src`: tests that need a store or a process, and are no unit tests. */
const NO_UNITS = [
  'audit/tree/tree.repository',
  'auth/keys',
  'auth/stored-key',
  'backup',
  'cli/c',
  'cli/projections',
  'cli/service-data',
  'commands/aggregate-repository',
  'database',
  'event-store/log-identity',
  'http/idempotency/kept-replies',
  'projections/read-models',
  'pseudonyms/pseudonyms',
  'pseudonyms/stripe-ids',
  'start/heap-growth',
  'stripe/prices/sold-prices',
  'tokens/signing-keys',
  'webhooks/delivery-heartbeat',
  'webhooks/sign-script',
];

/** Tests that need no store and no process: seconds, not minutes. They are among those of `postgresql`. */
export const unit = {
  ...common,
  displayName: 'unit',
  roots: ['<rootDir>/src', '<rootDir>/packages', '<rootDir>/test/shapes', '<rootDir>/test/tools'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [
    `/src/(${NO_UNITS.join('|')})[^]*\\.test\\.ts$`,
    '/test/tools/(start|client-package)',
  ],
};

/** Asked for by the soak, and wherever a real EventStoreDB stands in for the test server. */
const EVERYTHING_TWICE =
  process.env.REBUILD_EVENTS !== undefined || process.env.TEST_EVENTSTORE_URL !== undefined;

/** Programs that some tests start, by the folder of those tests: any one of them will do. Left out where none is there, and said at the end. */
const PROGRAMS = {
  '/test/redis/': ['redis-server'],
  '/test/browser/': ['chromium-headless-shell', 'chromium'],
  '/test/nginx/': ['nginx'],
  ...(EVERYTHING_TWICE ? { '/test/go/': ['go'] } : {}),
  '/test/second-verifier/': ['python3'],
};
const isThere = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
const absent = Object.entries(PROGRAMS).filter(([, programs]) => !programs.some(isThere));
process.env.TENURE_TEST_LEFT_OUT = absent
  .map(([folder, [program]]) => `${folder.slice(1)} (${program} is not installed)`)
  .join(', ');

/** Compiles a program first. */
const COMPILED = EVERYTHING_TWICE ? [] : ['/test/go/'];

/** With pseudonyms in place of user ids the story is told once more; and every test of the whole service by the soak, or where that is asked for. */
const PSEUDONYMS_TOO =
  process.env.REBUILD_EVENTS !== undefined || process.env.TEST_PSEUDONYMS_TOO !== undefined;

/** Files of which every case needs processes of its own: what they tell is tried at less cost elsewhere, and fully by the soak. */
const SOAKED = ['rebuild-killed'];
const notSoaked = EVERYTHING_TWICE ? [] : [`/test/e2e/(${SOAKED.join('|')})\\.test\\.ts$`];

/** Of the folds those that the store of the log reaches most: on the second store where everything runs twice. */
const LOG_IN_BOTH = ['as-of.property', 'grouped-builds', 'rebuild.property'];

/** What the store of the log reaches least: on the second store only where everything runs twice. */
const ONCE = [
  'access',
  'audit',
  'catalog',
  'checkout',
  'cli',
  'clock',
  'crash',
  'deadlines',
  'entitlements',
  'fault',
  'grants',
  'guard',
  'hostile',
  'import',
  'keys',
  'links',
  'mutated-webhooks',
  'operations',
  'order',
  'payment-bypass',
  'projections',
  'purchases',
  'push',
  'reactions',
  'rebuild-under-load',
  'reconcile',
  'standards',
  'stripe-doubts',
  'thin-events',
  'tokens',
  'tracing',
  'hot-route-parity',
  'plan-changes',
  'user-tokens',
  'users',
  'webhooks',
];

/**
 * Everything, with the log in PostgreSQL; then tests of the whole service again, with the log in EventStoreDB: those that
 * the store reaches most, or all but those about one store alone. `--selectProjects` chooses one.
 */
export default {
  projects: [
    {
      ...withStores,
      displayName: 'postgresql',
      roots: ['<rootDir>/src', '<rootDir>/packages', '<rootDir>/test'],
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        ...absent.map(([folder]) => folder),
        ...COMPILED,
        ...notSoaked,
      ],
    },
    {
      ...withStores,
      displayName: 'eventstoredb',
      roots: ['<rootDir>/test/e2e', '<rootDir>/test/projections'],
      testMatch: [
        '**/test/e2e/*.test.ts',
        '**/grouped-builds-killed.test.ts',
        ...(EVERYTHING_TWICE ? LOG_IN_BOTH.map((name) => `**/test/projections/${name}.test.ts`) : []),
      ],
      testPathIgnorePatterns: [
        '/(embedded-start|start|openapi|database-away|log-adopt-killed|eventstore-[a-z]+)\\.test\\.ts$',
        ...notSoaked,
        ...(EVERYTHING_TWICE ? [] : [`/test/e2e/(${ONCE.join('|')})\\.test\\.ts$`]),
      ],
      testEnvironmentOptions: { env: { TEST_STORE: 'eventstoredb' } },
    },
    {
      ...withStores,
      displayName: 'pseudonyms',
      roots: ['<rootDir>/test/e2e'],
      testMatch: [PSEUDONYMS_TOO ? '**/test/e2e/*.test.ts' : '**/test/e2e/story.test.ts'],
      // Left out is what sets this itself, and what is about a start or about one store.
      testPathIgnorePatterns: ['/(embedded-start|start|erasure|eventstore-[a-z]+)\\.test\\.ts$'],
      testEnvironmentOptions: { env: { TEST_PSEUDONYMS: 'true' } },
    },
  ],
  // A condition that does not come is told by whoever waited for it (`until`), and before Jest's own limit.
  testTimeout: 300_000,
  maxWorkers: 3,
  workerIdleMemoryLimit: '1.5GB',
  // A busy machine takes its time to end a process.
  workerGracefulExitTimeout: 10_000,
};
