import type { Position, StoredEvent } from '../events/stored-event.js';

/** Events of the longest stream that is told by its keys; a longer one is read in pages. */
export const MOST_KEYS = 200;

/** What an event counts once by (metadata `causationId`), and Stripe's second of it (Unix, `stripeCreated`), where it has them. */
export type EventKey = readonly [causation: string | null, stripeCreated: number | null];

/** A stream as far as the keys of its events tell it. `revision`, `hash` and `position` are of the last one. */
export interface StreamKeys {
  readonly revision: number;
  readonly hash: string;
  readonly position: Position;
  /** In the order of the stream. */
  readonly keys: readonly EventKey[];
}

/** `not_by_keys`: an event of another type is in it, or it is too long, or not written by us: it is to be read. */
export type KeysAnswer = StreamKeys | 'no_stream' | 'not_by_keys';

/** What an event tells without its data. */
export type KeyedEvent = Pick<StoredEvent, 'revision' | 'position' | 'type' | 'metadata'>;

/** What events, which are a whole stream or the first of one that is too long, are as keys; `types`: those of which the key is enough. */
export function keysOfEvents(events: readonly KeyedEvent[], types: ReadonlySet<string>): KeysAnswer {
  if (events.length > MOST_KEYS) return 'not_by_keys';
  const keys: EventKey[] = [];
  let told: KeysAnswer = 'no_stream';
  for (const { revision, position, type, metadata } of events) {
    if (!types.has(type)) return 'not_by_keys';
    const { causationId, stripeCreated, hash } = fieldsOf(metadata);
    if (typeof hash !== 'string') return 'not_by_keys';
    keys.push([
      typeof causationId === 'string' ? causationId : null,
      typeof stripeCreated === 'number' ? stripeCreated : null,
    ]);
    told = { revision, hash, position, keys };
  }
  return told;
}

interface Fields {
  readonly causationId?: unknown;
  readonly stripeCreated?: unknown;
  readonly hash?: unknown;
}

/** None of what is no JSON object: somebody else wrote it. */
function fieldsOf(metadata: string): Fields {
  try {
    const fields: unknown = JSON.parse(metadata);
    return typeof fields === 'object' && fields !== null ? fields : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
