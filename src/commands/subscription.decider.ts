import type { DomainEvent } from '../events/event-types.js';
import type { SubscriptionObservationData } from '../events/subscription.events.js';
import type { Decider } from './decider.js';
import { having, isKnown, type LinkableState, UNSEEN } from './linkable.js';

/** What can be asked of the stream of a subscription. `causation` is the key by which it counts once. */
export type SubscriptionCommand =
  | { readonly kind: 'record'; readonly causation: string; readonly event: DomainEvent }
  | {
      readonly kind: 'retrieved';
      readonly causation: string;
      readonly data: SubscriptionObservationData;
    }
  | {
      readonly kind: 'link';
      readonly causation: string | null;
      readonly subscription: string;
      readonly userId: string;
      readonly reason: string | null;
    }
  | {
      readonly kind: 'unlink';
      readonly causation: string | null;
      readonly subscription: string;
      readonly reason: string | null;
    };

/** One event for one Stripe event, also when nothing changes for access: its place in time matters to late facts. */
export const subscriptionDecider: Decider<LinkableState, SubscriptionCommand> = {
  initial: UNSEEN,
  evolve: (state, { event, causation }) => {
    switch (event.type) {
      case 'SubscriptionLinked':
        return having(state, causation, event.data.userId);
      case 'SubscriptionUnlinked':
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
      case 'retrieved':
        return [{ type: 'SubscriptionRetrieved', data: command.data }];
      case 'link': {
        const { subscription, userId, reason } = command;
        return state.link === userId
          ? []
          : [{ type: 'SubscriptionLinked', data: { subscription, userId, reason } }];
      }
      case 'unlink': {
        const { subscription, reason } = command;
        return state.link === null ? [] : [{ type: 'SubscriptionUnlinked', data: { subscription, reason } }];
      }
    }
  },
};
