import type { DomainEvent } from '../events/event-types.js';
import type { Decider } from './decider.js';
import { having, isKnown, type LinkableState, UNSEEN } from './linkable.js';

/** What can be asked of the stream of a customer. `causation` is the key by which it counts once. */
export type CustomerCommand =
  | { readonly kind: 'record'; readonly causation: string; readonly event: DomainEvent }
  | {
      readonly kind: 'link';
      readonly causation: string | null;
      readonly customer: string;
      readonly userId: string;
      readonly reason: string | null;
    }
  | {
      readonly kind: 'unlink';
      readonly causation: string | null;
      readonly customer: string;
      readonly reason: string | null;
    };

/** One event for one Stripe event; a link that stands already is not made again. */
export const customerDecider: Decider<LinkableState, CustomerCommand> = {
  initial: UNSEEN,
  evolve: (state, { event, causation }) => {
    switch (event.type) {
      case 'CustomerLinked':
        return having(state, causation, event.data.userId);
      case 'CustomerUnlinked':
        return having(state, causation, null);
      default:
        return having(state, causation, state.link);
    }
  },
  knows: isKnown,
  decide: (state, command) => {
    if (isKnown(state, command.causation)) return [];
    switch (command.kind) {
      case 'record':
        return [command.event];
      case 'link': {
        const { customer, userId, reason } = command;
        return state.link === userId ? [] : [{ type: 'CustomerLinked', data: { customer, userId, reason } }];
      }
      case 'unlink': {
        const { customer, reason } = command;
        return state.link === null ? [] : [{ type: 'CustomerUnlinked', data: { customer, reason } }];
      }
    }
  },
};
