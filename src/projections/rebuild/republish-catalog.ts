import type { Pool } from 'pg';
import { z } from 'zod';
import { AggregateRepository } from '../../commands/aggregate-repository.js';
import { catalogAggregate, PublishPlanCatalog } from '../../commands/catalog.aggregate.js';
import type { EventStore } from '../../event-store/event-store.js';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import { catalogStream } from '../../events/stream-names.js';

export interface RepublishOptions {
  /** Where the catalogue is published. */
  readonly store: EventStore;
  readonly streamPrefix: string;
  /** Holds the read models that know the catalogue. */
  readonly pool: Pool;
  readonly actor: string;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Publishes the catalogue in force again where the log ends before it was: nobody delivers it a second time. Not where the
 * log has one that the read models never knew.
 */
export async function publishAgain({
  store,
  streamPrefix,
  pool,
  actor,
  now,
}: RepublishOptions): Promise<'in the log' | 'published again'> {
  const known = await knownCatalogs(pool);
  const inForce = known.at(-1);
  if (inForce === undefined) return 'in the log';
  const repository = new AggregateRepository(store, catalogAggregate, { streamPrefix, now });
  const { last } = await repository.stateOf(catalogStream(streamPrefix));
  const isOlder = last === null || known.some(({ hash }) => hash === last.hash);
  if (!isOlder || last?.hash === inForce.hash) return 'in the log';
  const origin = { actor, correlationId: 'log adopt', causation: null, stripe: null };
  await repository.execute(new PublishPlanCatalog(inForce.catalog, inForce.hash, origin));
  return 'published again';
}

async function knownCatalogs(
  pool: Pool,
): Promise<readonly { readonly hash: string; readonly catalog: PlanCatalog }[]> {
  const { rows } = await pool.query(
    `select hash, catalog from tenure.plan_catalog
     where generation = (select generation from tenure.live_generation) order by position`,
  );
  return z
    .array(z.object({ hash: z.string(), catalog: z.string() }))
    .parse(rows)
    .map(({ hash, catalog }) => ({ hash, catalog: planCatalogSchema.parse(JSON.parse(catalog)) }));
}
