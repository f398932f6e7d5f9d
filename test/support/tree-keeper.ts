import { TreeKeeper, type TreeKeeperOptions } from '../../src/audit/tree/tree-keeper.js';
import { SealedSecrets } from '../../src/auth/sealed-secrets.js';

/** Keeps the tree of a log that no service runs on, or beside one, in a database that has its tables. */
export function treeKeeper(
  options: Pick<TreeKeeperOptions, 'pool' | 'store'> & Partial<TreeKeeperOptions>,
): TreeKeeper {
  return new TreeKeeper({
    secrets: new SealedSecrets(['an admin key of thirty-two characters']),
    origin: 'another.name',
    mirror: null,
    witnesses: [],
    everySeconds: 60,
    now: Date.now,
    isLogKnown: async () => true,
    onOutcome: () => undefined,
    onTrouble: () => undefined,
    ...options,
  });
}
