import type { Caller } from '../../auth/caller.js';
import type { Origin } from '../../commands/aggregate.js';
import type { PlanChoice } from '../../plans/plan-order.js';
import type { Held } from '../checkout/held.js';
import type { PlanChangeRequest, PlanChangeResponse } from './plan-change.schemas.js';
import type { WantedChange } from './wanted-change.js';

/** Who asks for what; `key` is the same for every repeat under one `Idempotency-Key`. */
export interface AskedChange {
  readonly userId: string;
  readonly request: PlanChangeRequest;
  readonly caller: Caller;
  readonly key: string;
}

/** What is changed, from what to what. */
export interface Change extends AskedChange {
  readonly held: Held;
  readonly has: PlanChoice;
  readonly wanted: WantedChange | 'the end';
  readonly subscription: string;
  /** Name of the default plan. */
  readonly byDefault: string;
}

/** What is changed to, as it is shown and recorded. */
export function shownOf({
  wanted,
  byDefault,
}: Change): Pick<PlanChangeResponse, 'plan' | 'interval' | 'quantity' | 'addons'> {
  if (wanted === 'the end') return { plan: byDefault, interval: null, quantity: 1, addons: {} };
  const { plan, quantity, addons } = wanted.choice;
  return { plan, interval: wanted.label, quantity, addons: { ...addons } };
}

/** The reply to a change; `at` is the Unix second at which it comes, `position` that of its event. */
export function responseOf(
  change: Change,
  outcome: PlanChangeResponse['outcome'],
  at: number | null,
  position: string | null,
): PlanChangeResponse {
  return {
    outcome,
    ...shownOf(change),
    at: at === null ? null : new Date(at * 1_000).toISOString(),
    position,
  };
}

/** Who asked, for the events of it. */
export function originOf({ caller }: AskedChange): Origin {
  return { actor: caller.actor, correlationId: caller.requestId, causation: null, stripe: null };
}
