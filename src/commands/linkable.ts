import { type DomainEvent, EVENT_TYPES } from '../events/event-types.js';
import type { Happened, Origin } from './aggregate.js';
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

/** Types of event that say whose a stream is. */
const LINK_TYPES: ReadonlySet<string> = new Set<DomainEvent['type']>([
  'SubscriptionLinked',
  'CustomerLinked',
  'CheckoutLinked',
  'SubscriptionUnlinked',
  'CustomerUnlinked',
  'CheckoutUnlinked',
]);

/** All that Stripe says counts by its key. */
export const linkableByKeys = {
  types: new Set(Object.keys(EVENT_TYPES).filter((type) => !LINK_TYPES.has(type))),
  evolve: (state: LinkableState, causation: string | null): LinkableState =>
    having(state, causation, state.link),
};

/** Whether a command with this key is on the stream already. */
export function isKnown(state: LinkableState, causation: string | null): boolean {
  return causation !== null && state.seen.has(causation);
}

/** What such a stream is asked for: to record what Stripe says, or to note or take back ops' link. */
type LinkableCommand = { readonly origin: Origin } & (
  | { readonly kind: 'record'; readonly event: DomainEvent }
  | { readonly kind: 'link'; readonly userId: string; readonly reason: string | null }
  | { readonly kind: 'unlink'; readonly reason: string | null }
);

/** The events of a link of one kind of stream. */
interface LinkEvents {
  readonly linked: (userId: string, reason: string | null) => DomainEvent;
  readonly unlinked: (reason: string | null) => DomainEvent;
}

/** One event for one key; a link that stands already is not made again, and none is taken back where none stands. */
export function decideLinkable(
  state: LinkableState,
  command: LinkableCommand,
  { linked, unlinked }: LinkEvents,
): readonly [] | readonly [DomainEvent] {
  if (isKnown(state, command.origin.causation)) return [];
  switch (command.kind) {
    case 'record':
      return [command.event];
    case 'link':
      return state.link === command.userId ? [] : [linked(command.userId, command.reason)];
    case 'unlink':
      return state.link === null ? [] : [unlinked(command.reason)];
  }
}
