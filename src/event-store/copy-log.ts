import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { GENESIS_HASH, verifyChain } from '../events/hash-chain.js';
import type { Position, StoredEvent } from '../events/stored-event.js';
import { NamedError } from '../observability/named-error.js';
import { MAX_APPEND_DATA_BYTES } from './append-rules.js';
import { EventStoreUnavailableError, OutcomeUnknownError } from './errors.js';
import type { EventStore } from './event-store.js';

/** The copy cannot go on: the source's chain is broken, or the target is no beginning of the source. */
export class LogCopyError extends NamedError {
  readonly code = 'log_copy_failed';
}

/** How far a copy came. `found` were in the target before. */
export interface CopyProgress {
  readonly found: number;
  readonly copied: number;
  /** Position in the source of the last event that is in both. */
  readonly position: Position | null;
}

const PAGE = 1_000;
/** Events of one stream in one append: bursts beyond a hundred cost the target's subscribers their place. */
const EVENTS_PER_APPEND = 100;
const MAX_TRIES = 10;
const FIRST_RETRY_MS = 200;

const links = z.looseObject({ prevHash: z.string(), hash: z.string() });

/**
 * Copies a log event by event, in its order, with every id, text and revision as it is, and checks the hash chain of every
 * stream on the way. What the target holds already is compared instead: a copy that was broken off goes on where it was,
 * and a second run over a finished copy verifies it. Nobody may append to either log meanwhile.
 * @param onProgress is called after every page of the source
 * @throws LogCopyError, and what the stores throw
 */
export async function copyLog(
  source: EventStore,
  target: EventStore,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyProgress> {
  const chains = new Chains();
  const there = eventsOf(target);
  let isTargetAtEnd = false;
  let [found, copied] = [0, 0];
  let position: Position | null = null;
  for await (const page of pagesOf(source)) {
    const missing: StoredEvent[] = [];
    for (const event of page) {
      chains.follow(event);
      const same = isTargetAtEnd ? undefined : (await there.next()).value;
      if (same === undefined) {
        isTargetAtEnd = true;
        missing.push(event);
      } else {
        expectSame(event, same);
        found += 1;
      }
    }
    for (const batch of batchesOf(missing)) await appendSurely(target, batch);
    copied += missing.length;
    position = page.at(-1)?.position ?? position;
    onProgress({ found, copied, position });
  }
  const more = isTargetAtEnd ? undefined : (await there.next()).value;
  if (more !== undefined) {
    throw new LogCopyError(`the target goes on where the source ends: ${nameOf(more)} is not in the source`);
  }
  return { found, copied, position };
}

async function* pagesOf(store: EventStore): AsyncGenerator<readonly StoredEvent[]> {
  for (let from: Position | null = null; ; ) {
    const { events, scanned } = await store.readAll(from, PAGE);
    if (events.length > 0) yield events;
    if (scanned === from) return;
    from = scanned;
  }
}

async function* eventsOf(store: EventStore): AsyncGenerator<StoredEvent, undefined> {
  for await (const page of pagesOf(store)) yield* page;
  return undefined;
}

/** The last link of every stream. */
class Chains {
  readonly #last = new Map<string, { readonly revision: number; readonly hash: string }>();

  /** @throws LogCopyError when the event does not follow the one before it in its stream */
  follow(event: StoredEvent): void {
    const before = this.#last.get(event.stream) ?? { revision: -1, hash: GENESIS_HASH };
    const broken = verifyChain([event]);
    if (broken !== null) throw new LogCopyError(`the chain is broken at ${nameOf(event)}: ${broken.reason}`);
    const { prevHash, hash } = links.parse(JSON.parse(event.metadata));
    if (event.revision !== before.revision + 1 || prevHash !== before.hash) {
      throw new LogCopyError(`the chain is broken at ${nameOf(event)}: it does not follow what is before it`);
    }
    this.#last.set(event.stream, { revision: event.revision, hash });
  }
}

function expectSame(wanted: StoredEvent, there: StoredEvent): void {
  const isSame = (['stream', 'revision', 'id', 'type', 'data', 'metadata'] as const).every(
    (part) => wanted[part] === there[part],
  );
  if (isSame) return;
  throw new LogCopyError(`the target holds ${nameOf(there)} where the source holds ${nameOf(wanted)}`);
}

/** Neighbours of one stream go in one append: the order of the whole log stays. */
function batchesOf(events: readonly StoredEvent[]): readonly (readonly [StoredEvent, ...StoredEvent[]])[] {
  const batches: [StoredEvent, ...StoredEvent[]][] = [];
  let bytes = 0;
  for (const event of events) {
    const batch = batches.at(-1);
    const size = Buffer.byteLength(event.data, 'utf8');
    const fits =
      batch !== undefined &&
      batch[0].stream === event.stream &&
      batch.length < EVENTS_PER_APPEND &&
      bytes + size <= MAX_APPEND_DATA_BYTES;
    if (fits) batch.push(event);
    else batches.push([event]);
    bytes = fits ? bytes + size : size;
  }
  return batches;
}

/** Repeats the same bytes at the same revision while nobody knows whether they landed. */
async function appendSurely(
  target: EventStore,
  batch: readonly [StoredEvent, ...StoredEvent[]],
): Promise<void> {
  const [{ stream, revision }] = batch;
  for (let tries = 1; ; tries += 1) {
    try {
      await target.append(stream, revision === 0 ? 'no_stream' : revision - 1, batch);
      return;
    } catch (error) {
      const passes = error instanceof OutcomeUnknownError || error instanceof EventStoreUnavailableError;
      if (!passes || tries === MAX_TRIES) throw error;
      const retryAfterMs = error instanceof OutcomeUnknownError ? error.retryAfterMs : undefined;
      await pause(retryAfterMs ?? FIRST_RETRY_MS * 2 ** Math.min(tries, 5));
    }
  }
}

function nameOf({ stream, revision }: StoredEvent): string {
  return `${stream}@${revision}`;
}
