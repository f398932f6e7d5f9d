import { metadataOf } from '../../src/commands/aggregate.js';
import type { EventWithoutPosition } from '../../src/event-store/log-transfer.js';
import { GENESIS_HASH, sealEvent } from '../../src/events/hash-chain.js';

/** What a log is filled with. */
export interface GeneratedLog {
  readonly events: number;
  /** Customers whose events they are; neighbours are of any. */
  readonly customers: number;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
}

/** The first of them was recorded at this time, Unix ms, and each a second after the one before. */
const BEGAN = Date.UTC(2026, 10, 1);

/** Events of customers, sealed, in the order of the log; every third is of a delivery of Stripe's, which its id is made of. */
export function* generatedLog(log: GeneratedLog): Generator<EventWithoutPosition, undefined> {
  const { events, customers, random } = log;
  const ends = new Map<string, { readonly revision: number; readonly hash: string }>();
  for (let n = 0; n < events; n += 1) {
    const customer = `cus_${Math.floor(random() * customers)}`;
    const stream = `tenure.customer-${customer}`;
    const end = ends.get(stream) ?? { revision: -1, hash: GENESIS_HASH };
    const revision = end.revision + 1;
    const stripe = {
      eventId: `evt_${n}`,
      eventType: 'customer.updated',
      created: Math.floor(BEGAN / 1_000) + n,
      apiVersion: '2026-10-01',
      livemode: false,
    };
    const origin = {
      actor: 'stripe',
      correlationId: `request-${n}`,
      causation: null,
      stripe: n % 3 === 0 ? stripe : null,
    };
    const { hash, ...event } = sealEvent({
      type: 'CustomerObserved',
      data: { customer, userId: `user-${n}` },
      stream,
      revision,
      prevHash: end.hash,
      metadataWithoutHashes: metadataOf(origin, BEGAN + n * 1_000, 1),
      idKey: n % 3 === 0 ? stripe.eventId : `${stream}@${revision}`,
    });
    ends.set(stream, { revision, hash });
    yield { ...event, stream, revision };
  }
  return undefined;
}
