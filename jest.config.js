/** Tests run as ES modules; `.js` specifiers in TypeScript point at `.ts` files. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

/** Rebuilds of two processes, killed in every phase or under load, take minutes: on the second store only in the soak. */
const ONLY_IN_SOAK =
  process.env.REBUILD_EVENTS === undefined ? ['/rebuild-(killed|under-load)\\.test\\.ts$'] : [];

/**
 * Everything, with the log in PostgreSQL; then the tests of the whole service again, with the log in EventStoreDB (but for
 * those about one store alone, or about what no store changes). `--selectProjects` chooses one.
 */
export default {
  projects: [
    {
      ...common,
      displayName: 'postgresql',
      roots: ['<rootDir>/src', '<rootDir>/test'],
      testMatch: ['**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'eventstoredb',
      globalSetup: '<rootDir>/test/support/global-setup-eventstoredb.mjs',
      globalTeardown: '<rootDir>/test/support/global-teardown-eventstoredb.mjs',
      roots: ['<rootDir>/test/e2e'],
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: [
        '/(embedded-start|start|openapi|database-away|log-adopt-killed|eventstore-[a-z]+)\\.test\\.ts$',
        ...ONLY_IN_SOAK,
      ],
      setupFiles: ['<rootDir>/test/support/on-eventstoredb.mjs'],
    },
  ],
  testTimeout: 120_000,
  maxWorkers: 2,
};
