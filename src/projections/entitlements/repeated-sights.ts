import type { EventEnvelope } from '../../events/event-envelope.js';
import type { FoldingRules } from './folding-rules.js';
import type { KeptSubscription } from './kept-rows.js';
import type { SetAsides } from './set-aside.js';
import type { UserJudge } from './user-judge.js';
import type { WorkingSet } from './working-set.js';

export interface RepeatedSightsParts {
  readonly rules: FoldingRules;
  readonly workingSet: WorkingSet;
  readonly asides: SetAsides;
  readonly judge: UserJudge;
}

/** A subscription before a sight of it is folded. */
export interface BeforeSight {
  readonly row: KeptSubscription;
  readonly owner: string;
  /** How many there were of it. */
  readonly count: number;
}

/**
 * Tells sights of a subscription that say of its user's access what the one before said, as where its metadata changed. Who was
 * judged here, by the catalogue in force, with nothing else that could count, then stands as judged: another judgement would
 * give the row that is there.
 */
export class RepeatedSights {
  constructor(private readonly parts: RepeatedSightsParts) {}

  /** To be asked before an event is folded; `null` where it is to be judged in any case. */
  before(event: EventEnvelope): BeforeSight | null {
    const { rules, workingSet, asides } = this.parts;
    if (event.type !== 'SubscriptionUpdated' || rules.isRepeated === undefined || !asides.isEmpty)
      return null;
    const row = workingSet.subscriptions.get(event.data.subscription);
    if (row === undefined || row.owner === null) return null;
    return { row, owner: row.owner, count: row.observations.length };
  }

  /** Whether those who are affected by the event, which is folded, stand as they were judged at `now` (Unix ms). */
  standAsJudged({ row, owner, count }: BeforeSight, affected: readonly string[], now: number): boolean {
    const { rules, workingSet, judge } = this.parts;
    const isOfOwner = affected.length === 1 && affected[0] === owner && row.owner === owner;
    if (!isOfOwner) return false;
    if (row.observations.length !== count + 1 || rules.isRepeated?.(row.observations) !== true) return false;
    const isAlone =
      workingSet.subscriptionsOfUser(owner).length === 1 &&
      workingSet.purchasesOfUser(owner).length === 0 &&
      !workingSet.byHand.has(owner);
    return isAlone && judge.standsAt(owner, now);
  }
}
