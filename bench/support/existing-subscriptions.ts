import pg from 'pg';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { RecordSubscriptionEvent, subscriptionAggregate } from '../../src/commands/subscription.aggregate.js';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import { translated } from '../../test/support/translated.js';
import { BEGINNING, webhookBody } from '../load/subscription-lives.js';

/** Subscriptions under way at a time. */
const LANES = 128;

/**
 * Writes the beginning of so many lives into the log, as their webhooks to another instance would have: the service that is
 * measured has none of their streams in memory.
 */
export async function recordBeginnings(databaseUrl: string, tag: string, count: number): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  const onFault = (fault: unknown): void => {
    process.stderr.write(`${fault}\n`);
  };
  const store = await openEventStore(
    { eventStoreUrl: null, streamPrefix: 'tenure.' },
    { pool, databaseUrl, onFault },
  );
  const repository = new AggregateRepository(store, subscriptionAggregate, { streamPrefix: 'tenure.' });
  const now = Math.floor(Date.now() / 1000);
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const lane = async (): Promise<void> => {
    for (const number of numbers) {
      for (let step = 0; step < BEGINNING; step += 1) {
        await repository.execute(recording(webhookBody(tag, number, step, now)));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    // As autovacuum would within a minute: without, a plan that was made for small tables may stay for a whole run.
    await pool.query('analyze');
  } finally {
    await store.close();
    await pool.end();
  }
}

function recording(body: string): RecordSubscriptionEvent {
  const told = translated(JSON.parse(body));
  if (told.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(told)}`);
  const { stream, event, stripe } = told;
  const origin = { actor: 'stripe', correlationId: 'bench', causation: stripe.eventId, stripe };
  return new RecordSubscriptionEvent(stream.id, event, origin);
}
