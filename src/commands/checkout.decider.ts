import type { DomainEvent } from '../events/event-types.js';
import type { Decider } from './decider.js';
import { SeenKeys } from './seen-keys.js';

/** What can be asked of the stream of a checkout session: to record what Stripe says of it. */
export interface CheckoutCommand {
  readonly causation: string;
  readonly event: DomainEvent;
}

/** One event for one Stripe event. */
export const checkoutDecider: Decider<SeenKeys, CheckoutCommand> = {
  initial: SeenKeys.none,
  evolve: (seen, { causation }) => (causation === null ? seen : seen.with(causation)),
  knows: (seen, causation) => seen.has(causation),
  decide: (seen, command) => (seen.has(command.causation) ? [] : [command.event]),
};
