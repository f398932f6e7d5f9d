import type { EventEnvelope } from '../../events/event-envelope.js';
import type { ExplainableFacts } from '../../policy/reasons/explain.js';
import { FactReducer } from '../../projections/entitlements/fact-reducer.js';
import { factOriginOf, showsDeleted } from '../../projections/entitlements/fact-rows.js';
import { FactsLoader } from '../../projections/entitlements/facts-loader.js';
import { ownedThings } from '../../projections/entitlements/owned-things.js';
import { userStreamsOf } from '../../projections/entitlements/user-streams.js';
import { WorkingSet } from '../../projections/entitlements/working-set.js';
import { WriteBatch } from '../../projections/entitlements/write-batch.js';

/** Facts are folded from their first event on: nothing of them is kept anywhere. */
const NOTHING_KEPT = { query: async () => ({ rows: [] }) };

/** The facts of a user, folded event by event in the log's order. */
export class UserFold {
  readonly #workingSet = new WorkingSet();
  readonly #reducer: FactReducer;
  /** Of each customer that was deleted the fact that told it. */
  readonly #deletedBy = new Map<string, string>();

  /** Ids of subscriptions and sessions that were ever said to be the user's. */
  readonly #named = new Set<string>();

  constructor(private readonly userId: string) {
    const loader = new FactsLoader(NOTHING_KEPT, 0, this.#workingSet);
    this.#reducer = new FactReducer(this.#workingSet, loader, new WriteBatch());
  }

  async add(event: EventEnvelope): Promise<void> {
    await this.#reducer.fold(event);
    for (const { userId, id } of userStreamsOf(event)) if (userId === this.userId) this.#named.add(id);
    if (showsDeleted(event)) {
      this.#deletedBy.set(event.data.customer, factOriginOf(event).eventId);
    }
  }

  /** What the user is judged by now; to be used before the next event is added. */
  facts(): ExplainableFacts {
    return {
      ...this.#workingSet.factsOfUser(this.userId),
      deletedBy: this.#deletedBy,
      things: () => ownedThings(this.#workingSet, this.userId, this.#named),
    };
  }
}
