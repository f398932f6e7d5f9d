import { canonicalJson } from '../events/canonical-json.js';
import type { PlanChangeRequestedData, PlanChangeWithdrawnData } from '../events/plan-change.events.js';
import { planChangeStream } from '../events/stream-names.js';
import type { Aggregate, Origin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Record what somebody asked of a subscription. */
export class RequestPlanChange {
  readonly kind = 'request';
  constructor(
    readonly data: PlanChangeRequestedData,
    readonly origin: Origin,
  ) {}
}

/** Record that what was asked for is not to come. */
export class WithdrawPlanChange {
  readonly kind = 'withdraw';
  constructor(
    readonly data: PlanChangeWithdrawnData,
    readonly origin: Origin,
  ) {}
}

export type PlanChangeCommand = RequestPlanChange | WithdrawPlanChange;

/** What a user asked for last and is to come, and the keys of requests that the stream holds. */
export interface PlanChangeState {
  readonly toCome: PlanChangeRequestedData | null;
  readonly seen: SeenKeys;
}

/** What is to come already is not asked for again. What was asked for at once is over as it is asked for, and each counts. */
export const planChangeAggregate: Aggregate<PlanChangeState, PlanChangeCommand> = {
  streamOf: (prefix, { data }) => planChangeStream(prefix, data.userId),
  expectsNewStream: () => false,
  initial: { toCome: null, seen: SeenKeys.none },
  evolve: ({ toCome, seen: before }, { event, causation }) => {
    const seen = causation === null ? before : before.with(causation);
    switch (event.type) {
      case 'PlanChangeRequested':
        return { toCome: event.data.when === 'now' ? null : event.data, seen };
      case 'PlanChangeWithdrawn':
        return { toCome: null, seen };
      default:
        return { toCome, seen };
    }
  },
  knows: ({ seen }, key) => seen.has(key),
  decide: ({ toCome, seen }, command) => {
    const { causation } = command.origin;
    if (causation !== null && seen.has(causation)) return [];
    if (command.kind === 'withdraw') return [{ type: 'PlanChangeWithdrawn', data: command.data }];
    const isKnown = toCome !== null && meaning(toCome) === meaning(command.data);
    return isKnown ? [] : [{ type: 'PlanChangeRequested', data: command.data }];
  },
};

/** All that a request says but when Stripe answered it. */
function meaning({ askedAt: _, ...said }: PlanChangeRequestedData): string {
  return canonicalJson(said);
}
