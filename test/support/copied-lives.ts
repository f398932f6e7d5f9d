import type { LogTarget, StreamAppend } from '../../src/event-store/event-store.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import { GENESIS_HASH, type SealedEvent, sealEvent } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { type LifePrices, RecordedLives } from './recorded-lives.js';

/** Lives that are told in full; all others are copies of theirs under ids of their own. Whole rounds of the kinds of lives. */
const TOLD = 64;
/** Events that are appended together. */
const TOGETHER = 4_000;

/** Which lives a log is filled with. */
export interface CopiedLives {
  /** Of the users `u0`, `u1` and so on. */
  readonly users: number;
  readonly prices: LifePrices;
  /** How many of the first events of each life. */
  readonly events: number;
  /** Whether they begin now, or some hours ago. */
  readonly begin: 'now' | 'earlier';
}

/** What is copied: the events of a life that was told in full, and the text that its ids are made with. */
interface Pattern {
  readonly name: string;
  readonly events: readonly StoredEvent[];
}

/**
 * Fills a log with lives as `RecordedLives` tells them, whole and sealed, of hundreds of thousands of users: neighbours
 * in the log are about different ones. Nobody else may append the same streams meanwhile. Returns the position after
 * which there is none of them.
 */
export async function recordCopies(
  store: LogTarget,
  streamPrefix: string,
  { users, prices, events, begin }: CopiedLives,
): Promise<string> {
  const told = new RecordedLives('u', Math.min(users, TOLD), prices);
  if (begin === 'now') told.comeToNow();
  const position = await told.record(store, streamPrefix, { events, inwards: (body) => body });
  if (users <= TOLD) return position;
  const patterns: Pattern[] = [];
  for (const { userId, subscription } of told.all) {
    const stream = `${streamPrefix}subscription-${subscription.id}`;
    patterns.push({ name: userId, events: await store.read(stream, 0) });
  }
  const hashes = new Map<string, string>();
  let appends: StreamAppend[] = [];
  for (let step = 0; step < events; step += 1) {
    for (let user = TOLD; user < users; user += 1) {
      const pattern = patterns[user % TOLD];
      const original = pattern?.events[step];
      if (pattern === undefined || original === undefined) throw new Error('a life was told in part');
      const stream = original.stream.replaceAll(pattern.name, `u${user}`);
      const copy = copyOf(original, stream, hashes.get(stream) ?? GENESIS_HASH, (text) =>
        text.replaceAll(pattern.name, `u${user}`),
      );
      hashes.set(stream, copy.hash);
      appends.push({ stream, expected: step === 0 ? 'no_stream' : step - 1, events: [copy] });
      if (appends.length < TOGETHER) continue;
      await store.appendInOrder(appends);
      appends = [];
    }
  }
  if (appends.length > 0) await store.appendInOrder(appends);
  const last = await store.head();
  if (last === null) throw new Error('the log is empty');
  return last;
}

/** The same event of somebody else, sealed behind `prevHash`. */
function copyOf(
  original: StoredEvent,
  stream: string,
  prevHash: string,
  rename: (text: string) => string,
): SealedEvent {
  const event = parseEvent({
    ...original,
    data: rename(original.data),
    metadata: rename(original.metadata),
  });
  const { hash: _, prevHash: __, ...metadataWithoutHashes } = event.metadata;
  const { revision } = original;
  const idKey = metadataWithoutHashes.stripeEventId ?? `${stream}@${revision}`;
  return sealEvent({ ...event, stream, revision, prevHash, metadataWithoutHashes, idKey });
}
