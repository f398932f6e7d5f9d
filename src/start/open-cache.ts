import type { Pool } from 'pg';
import { cacheNamespace } from '../cache/cache-namespace.js';
import { SharedSnapshots } from '../cache/shared-snapshots.js';
import { RUNNING_RULES } from '../projections/entitlements/folding-rules.js';
import type { SnapshotCache } from '../projections/read-models/snapshot-cache.js';
import { STEPS, type Starting } from './steps.js';

/** The cache that the settings name, `null` where they name none. It is not waited for: without it the database answers. */
export async function openCache(
  { settings, failures, metrics, steps, stops }: Starting,
  pool: Pool,
): Promise<SnapshotCache | null> {
  const { redisUrl } = settings;
  if (redisUrl === null) return null;
  const cache = new SharedSnapshots({
    url: redisUrl,
    namespace: await steps.take(cacheNamespace(pool, RUNNING_RULES.codeVersion)),
    onTrouble: (err) => failures.trouble('the shared cache is not used for a while', err),
    onRead: (found, missed) => metrics.sharedRead(found, missed),
    onStatement: () => metrics.snapshotStatement(),
  });
  stops.add(STEPS.cache, () => cache.close());
  return cache;
}
