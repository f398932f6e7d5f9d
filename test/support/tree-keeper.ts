import { openMirror } from '../../src/audit/tree/mirror.js';
import { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { SealedSecrets } from '../../src/auth/sealed-secrets.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import type { TestDatabase } from './postgres.js';
import { ADMIN_KEY } from './service.js';

/** Keeps the tree of a log that no service runs on, in a database that has its tables. */
export interface KeptTreeOptions {
  readonly database: TestDatabase;
  readonly store: EventStore;
  readonly origin: string;
  /** A folder or an address. */
  readonly mirror: string;
}

export function treeKeeper({ database, store, origin, mirror }: KeptTreeOptions): TreeKeeper {
  return new TreeKeeper({
    pool: database.pool,
    store,
    secrets: new SealedSecrets([ADMIN_KEY]),
    origin,
    mirror: openMirror(mirror),
    witnesses: [],
    everySeconds: 60,
    now: Date.now,
    isLogKnown: async () => true,
    onOutcome: () => undefined,
    onTrouble: () => undefined,
  });
}
