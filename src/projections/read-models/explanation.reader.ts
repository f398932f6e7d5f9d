import type { Pool, PoolClient } from 'pg';
import { inTransaction, oneByOne } from '../../database/in-transaction.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { streamName } from '../../events/stream-names.js';
import type { Combination } from '../../policy/combine.js';
import { combinationAt } from '../../policy/combined.js';
import {
  type ExplainableFacts,
  type Explanation,
  explain,
  explainKey,
} from '../../policy/reasons/explain.js';
import type { OwnedThing } from '../../policy/reasons/owner-reasons.js';
import type { Served } from '../entitlements/snapshot.js';
import { readExplainableUser } from './judged-user.js';
import { type ReasonWithEvents, withEvents } from './reason-events.js';
import { readServed } from './served-row.js';
import { UserFactsReader } from './user-facts.reader.js';

/** What is served of a user, by which catalogue, and the reasons of it. */
export interface ExplainedUser {
  readonly served: Served;
  readonly catalog: PlanCatalog;
  readonly reasons: readonly ReasonWithEvents[];
  /** What all gives together, of a user who has something by hand; else `null`. */
  readonly combination: Combination | null;
}

export interface ExplanationReaderOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now: () => number;
}

/** What a user was judged from, as of one moment. */
interface Judged {
  readonly served: Served;
  readonly facts: ExplainableFacts;
  readonly catalog: PlanCatalog;
  readonly streams: readonly string[];
}

/**
 * Explains what users may do now: reads the snapshot that is served, the facts it was judged from and the catalogue it was
 * judged by as of one moment, and judges again with the running code, which then says its reasons.
 */
export class ExplanationReader {
  constructor(private readonly options: ExplanationReaderOptions) {}

  /** The reasons of the whole snapshot. @throws ReadModelNotReadyError */
  explain(userId: string): Promise<ExplainedUser> {
    return this.#explained(userId, explain);
  }

  /** Why a user may, or may not, what a key of the catalogue names. @throws ReadModelNotReadyError */
  explainKey(userId: string, key: string): Promise<ExplainedUser> {
    return this.#explained(userId, (facts, catalog, now) => explainKey(facts, catalog, now, key));
  }

  async #explained(
    userId: string,
    explainFacts: (facts: ExplainableFacts, catalog: PlanCatalog, now: number) => Explanation,
  ): Promise<ExplainedUser> {
    const { pool, store } = this.options;
    const now = this.options.now();
    const judged = await inTransaction(
      pool,
      (client) => this.#read(client, userId, now),
      'repeatable read read only',
    );
    const { served, facts, catalog, streams } = judged;
    const { reasons } = explainFacts(facts, catalog, now);
    const combination = facts.byHand === undefined ? null : combinationAt(facts, catalog, now);
    return { served, catalog, reasons: await withEvents(reasons, store, streams), combination };
  }

  async #read(client: PoolClient, userId: string, now: number): Promise<Judged> {
    const { facts, catalog } = await readExplainableUser(client, userId);
    const [served] = (await readServed(client, [userId], () => now)).served;
    if (served === undefined) throw new Error('a user that was asked for was not answered');
    const { streamPrefix } = this.options;
    const own = await new UserFactsReader(oneByOne(client)).streams(userId, streamPrefix);
    const others = facts.things().flatMap((thing) => streamsOfThing(streamPrefix, thing));
    return { served, facts, catalog, streams: [...new Set([...own, ...others])] };
  }
}

/** Streams of something that may be another user's by now. */
function streamsOfThing(prefix: string, { kind, id, customer }: OwnedThing): readonly string[] {
  const own = streamName(prefix, { category: kind === 'purchase' ? 'checkout' : kind, id });
  return customer === null ? [own] : [own, streamName(prefix, { category: 'customer', id: customer.id })];
}
