import type { EventEnvelope } from '../../events/event-envelope.js';
import { overrideKindOf } from '../../events/override.events.js';
import type { ByHandFact, ByHandFacts, GrantFacts, OverrideFacts } from '../../policy/facts.js';
import type { FactsLoader } from './facts-loader.js';
import type { WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

/** Events of what people give or set by hand. */
export type ByHandEvent = Extract<
  EventEnvelope,
  { type: 'GrantIssued' | 'GrantRevoked' | 'OverrideSet' | 'OverrideRemoved' }
>;

/** Folds what users have by hand, and notes the rows that change. */
export class ByHandReducer {
  constructor(
    private readonly workingSet: WorkingSet,
    private readonly loader: FactsLoader,
    private readonly changes: WriteBatch,
  ) {}

  /** Folds one event; the user whom it names is to be judged anew. */
  async fold(event: ByHandEvent): Promise<void> {
    const { userId } = event.data;
    const before = await this.loader.byHand(userId);
    switch (event.type) {
      case 'GrantIssued': {
        const { grant } = event.data;
        return this.#putGrants(userId, before, [
          { grant, issued: byHandFact(event, event.data), revoked: null },
        ]);
      }
      case 'GrantRevoked': {
        const of = before.grants.filter(({ grant }) => grant === event.data.grant);
        const revoked = byHandFact(event, event.data);
        return this.#putGrants(
          userId,
          before,
          of.map((each) => ({ ...each, revoked })),
        );
      }
      case 'OverrideSet': {
        const kind = overrideKindOf(event.data);
        const { key } = event.data;
        return this.#putOverrides(userId, before, [
          { key, kind, set: byHandFact(event, event.data), removed: null },
        ]);
      }
      case 'OverrideRemoved': {
        const standing = before.overrides.filter(
          ({ key, removed }) => key === event.data.key && removed === null,
        );
        const removed = byHandFact(event, event.data);
        return this.#putOverrides(
          userId,
          before,
          standing.map((each) => ({ ...each, removed })),
        );
      }
    }
  }

  #putGrants(userId: string, { grants, overrides }: ByHandFacts, put: readonly GrantFacts[]): void {
    const others = grants.filter(({ grant }) => put.every((each) => each.grant !== grant));
    this.workingSet.byHand.set(userId, { grants: [...others, ...put], overrides });
    for (const facts of put) this.changes.byHand.grants.set(facts.grant, { userId, facts });
  }

  #putOverrides(userId: string, { grants, overrides }: ByHandFacts, put: readonly OverrideFacts[]): void {
    const others = overrides.filter(({ kind, key }) =>
      put.every((each) => each.kind !== kind || each.key !== key),
    );
    this.workingSet.byHand.set(userId, { grants, overrides: [...others, ...put] });
    for (const facts of put) {
      this.changes.byHand.overrides.set(JSON.stringify([userId, facts.kind, facts.key]), { userId, facts });
    }
  }
}

function byHandFact<Data>({ id, metadata }: ByHandEvent, data: Data): ByHandFact<Data> {
  return { eventId: id, recordedAt: Date.parse(metadata.recordedAt), data };
}
