import type { Happened } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/**
 * State of a stream that Stripe feeds: the keys of what it contains, and whose it is by ops' latest link (`null` when
 * none stands). The keys are Stripe event ids, and idempotency keys of what ops did.
 */
export interface LinkableState {
  readonly seen: SeenKeys;
  readonly link: string | null;
}

export const UNSEEN: LinkableState = { seen: SeenKeys.none, link: null };

/** The state with one more key; the link changes only where `link` is given. */
function having(state: LinkableState, causation: string | null, link: string | null): LinkableState {
  return { seen: causation === null ? state.seen : state.seen.with(causation), link };
}

/** The state after one more event of such a stream. */
export function evolveLinkable(state: LinkableState, { event, causation }: Happened): LinkableState {
  switch (event.type) {
    case 'SubscriptionLinked':
    case 'CustomerLinked':
    case 'CheckoutLinked':
      return having(state, causation, event.data.userId);
    case 'SubscriptionUnlinked':
    case 'CustomerUnlinked':
    case 'CheckoutUnlinked':
      return having(state, causation, null);
    default:
      return having(state, causation, state.link);
  }
}

/** Whether a command with this key is on the stream already. */
export function isKnown(state: LinkableState, causation: string | null): boolean {
  return causation !== null && state.seen.has(causation);
}
