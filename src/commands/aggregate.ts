import type { DomainEvent } from '../events/event-types.js';
import type { EventMetadata } from '../events/metadata.js';

/** The Stripe event a command comes from; `created` is Stripe's second. */
export interface StripeOrigin {
  readonly eventId: string;
  readonly eventType: string;
  readonly created: number;
  readonly apiVersion: string | null;
  readonly livemode: boolean;
}

/** An answer of Stripe's API that a command comes from; `created` is the second of its `Date` header. */
export interface StripeAnswerOrigin {
  readonly eventId: null;
  readonly eventType: null;
  readonly created: number;
  readonly apiVersion: string | null;
  readonly livemode: boolean;
}

/**
 * Where a command comes from. `causation` is the key by which it counts once on its stream: the Stripe event id, or
 * the caller's idempotency key, or what Stripe was asked about; `null` when it has none. It is kept in the event's metadata as `causationId`.
 */
export interface Origin {
  readonly actor: string;
  readonly correlationId: string;
  readonly causation: string | null;
  readonly stripe: StripeOrigin | StripeAnswerOrigin | null;
}

/** Where a command comes from that counts once by its key. */
export type KeyedOrigin = Origin & { readonly causation: string };

/** What is asked of one stream. */
export interface Command {
  readonly origin: Origin;
}

/** An event of a stream as its aggregate sees it: what it says, and the key it counts once by. */
export interface Happened {
  readonly event: DomainEvent;
  readonly causation: string | null;
}

/**
 * An aggregate: its state is a fold of its stream, and `decide` answers a command with no event (nothing to add) or
 * exactly one. It is pure and total: no clock, no randomness, no I/O.
 */
export interface Aggregate<State, Asked extends Command> {
  readonly initial: State;
  evolve(state: State, happened: Happened): State;
  decide(state: State, command: Asked): readonly [] | readonly [DomainEvent];
  /** Whether a command with this key is on the stream. Once it is, it stays so: a stream only grows. */
  knows(state: State, causation: string): boolean;
  /** Name of the stream that a command is for; `prefix` is the setting STREAM_PREFIX. */
  streamOf(prefix: string, command: Asked): string;
  /**
   * Types of event of which the key alone counts for the state, and the state with one more of them: as `evolve` makes it. A
   * stream that holds no others need not be read for its state.
   */
  readonly byKeys?: {
    readonly types: ReadonlySet<string>;
    evolve(state: State, causation: string | null): State;
  };
  /** Whether the state is a function of the last event alone, so that no more of a long stream need be read. */
  readonly lastTellsAll?: true;
  /** Whether the stream most likely does not exist yet, and is tried without a read. */
  expectsNewStream(command: Asked): boolean;
}

/** What came of a command. `position` is of the event appended; of a duplicate, of the stream's last event if known. */
export type CommandResult =
  | { readonly outcome: 'applied'; readonly event: DomainEvent['type']; readonly position: string }
  | { readonly outcome: 'duplicate'; readonly position: string | null };

/** Metadata of an event to be, without what is known only when it is sealed. */
export function metadataOf(
  origin: Origin,
  recordedAt: number,
  schemaVersion: number,
): Omit<EventMetadata, 'prevHash' | 'hash'> {
  return {
    stripeEventId: origin.stripe?.eventId ?? null,
    stripeEventType: origin.stripe?.eventType ?? null,
    stripeCreated: origin.stripe?.created ?? null,
    apiVersion: origin.stripe?.apiVersion ?? null,
    livemode: origin.stripe?.livemode ?? null,
    correlationId: origin.correlationId,
    causationId: origin.causation,
    actor: origin.actor,
    recordedAt: new Date(recordedAt).toISOString(),
    schemaVersion,
  };
}
