import type { PlanCatalog } from '../events/catalog.events.js';
import type { SubscriptionFacts } from './facts.js';
import { isMadeOf, type KeptState, openKeptState } from './kept-states.js';
import type { OtherAccess } from './other-access.js';
import { type Moment, type Participant, SubscriptionsOverTime } from './over-time.js';
import type { SubscriptionState } from './subscription-state.js';

/** A subscription as it was judged; without a participant while it was never seen itself. */
interface Judged {
  readonly kept: KeptState;
  readonly participant: Participant | null;
}

/**
 * The subscriptions of one user as they were judged under one catalogue at one instant. What is judged next goes on from
 * there: only those of which something was told are opened anew.
 */
export class KeptUser {
  readonly #judged: Judged[] = [];
  readonly #together: SubscriptionsOverTime;

  private constructor(
    private readonly catalog: PlanCatalog,
    private now: number,
  ) {
    this.#together = new SubscriptionsOverTime(now);
  }

  /** `now` is Unix milliseconds. */
  static of(subscriptions: readonly SubscriptionFacts[], catalog: PlanCatalog, now: number): KeptUser {
    const user = new KeptUser(catalog, now);
    for (const facts of subscriptions) user.#add(facts);
    return user;
  }

  /**
   * Goes on to facts and an instant (Unix milliseconds): `same` when all that is said from then on is what was said before;
   * `lost` when what is kept leads there no more, and is to be thrown away.
   */
  goOn(subscriptions: readonly SubscriptionFacts[], catalog: PlanCatalog, now: number): Outcome {
    if (catalog !== this.catalog || now < this.now || subscriptions.length < this.#judged.length)
      return 'lost';
    this.now = now;
    let outcome: Outcome = this.#together.passTo(now) ? 'other' : 'same';
    for (const [nth, facts] of subscriptions.entries()) {
      const judged = this.#judged[nth];
      if (judged !== undefined && isMadeOf(judged.kept, facts)) continue;
      const became = judged === undefined ? this.#add(facts) : this.#change(nth, judged, facts);
      if (became === 'lost') return 'lost';
      if (became === 'other') outcome = 'other';
    }
    return outcome;
  }

  get states(): readonly SubscriptionState[] {
    return this.#judged.flatMap(({ kept }) => kept.state ?? []);
  }

  /** What they, and what counts beside them, give together now and later, as `changesFrom` tells it. */
  moments(foreseen: number, otherAccess: OtherAccess): readonly Moment[] {
    return this.#together.moments(this.catalog, foreseen, otherAccess);
  }

  #add(facts: SubscriptionFacts): Outcome {
    const kept = openKeptState(facts, this.catalog);
    const participant = kept.state === null ? null : this.#together.join(kept.state);
    this.#judged.push({ kept, participant });
    return participant === null ? 'same' : 'other';
  }

  #change(nth: number, { kept: before, participant }: Judged, facts: SubscriptionFacts): Outcome {
    if (before.facts.observations !== facts.observations) return 'lost';
    const kept = openKeptState(facts, this.catalog);
    const { state } = kept;
    if (participant === null || state === null) {
      if (participant !== null) return 'lost'; // who was seen is not unseen
      const joined = state === null ? null : this.#together.join(state);
      this.#judged[nth] = { kept, participant: joined };
      return joined === null ? 'same' : 'other';
    }
    this.#judged[nth] = { kept, participant };
    return this.#together.change(participant, state) ? 'other' : 'same';
  }
}

/** What became of what was said before, once more was told. */
type Outcome = 'same' | 'other' | 'lost';
