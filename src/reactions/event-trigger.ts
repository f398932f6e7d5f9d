import { z } from 'zod';
import type { Statements } from '../database/in-transaction.js';
import type { EventEnvelope } from '../events/event-envelope.js';

/** What an event was recorded for: Stripe, by a delivery or asked in doubt; a person; the service's clock; or work in bulk. */
export type EventTrigger = 'stripe' | 'person' | 'clock' | 'import' | 'repair' | 'publication';

/** Actors of events that the service tells itself, and of what Stripe does. */
const SERVICE = 'service';
const STRIPE = 'stripe';

const uuid = z.guid();
const jobRow = z.object({ id: z.string(), kind: z.enum(['import', 'repair']) });

/** Which of these correlation ids are of an import, or of a reconciliation (`repair`). */
export type FindJobs = (
  database: Statements,
  correlationIds: readonly string[],
) => Promise<ReadonlyMap<string, 'import' | 'repair'>>;

/** Looks the jobs up where they are kept. */
export const findJobs: FindJobs = async (database, correlationIds) => {
  const ids = [...new Set(correlationIds)].filter((id) => uuid.safeParse(id).success);
  if (ids.length === 0) return new Map();
  const { rows } = await database.query(
    `select id::text, 'import' as kind from tenure.import_job where id = any($1::uuid[])
     union all select id::text, 'repair' from tenure.reconciliation where id = any($1::uuid[])`,
    [ids],
  );
  return new Map(
    z
      .array(jobRow)
      .parse(rows)
      .map(({ id, kind }) => [id, kind]),
  );
};

/** What an event was recorded for, by what stands beside its data and by which job it was recorded. */
export function triggerOf(
  { type, metadata: { actor, correlationId } }: EventEnvelope,
  jobs: ReadonlyMap<string, 'import' | 'repair'>,
): EventTrigger {
  if (type === 'PlanCatalogPublished') return 'publication';
  const job = jobs.get(correlationId);
  if (job !== undefined) return job;
  if (actor === SERVICE) return 'clock';
  return actor === STRIPE ? 'stripe' : 'person';
}

/** When something happened, Unix milliseconds: Stripe's second, else when it was recorded. */
export function happenedAt({ metadata: { stripeCreated, recordedAt } }: EventEnvelope): number {
  return stripeCreated === null ? Date.parse(recordedAt) : stripeCreated * 1_000;
}
