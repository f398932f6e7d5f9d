import type { NewEvent } from '../../events/stored-event.js';
import type { Append, OrderedBatch } from './append-statement.js';

/** Sizes of a statement: events, and weight as `Append` has it. */
export interface BatchSizes {
  readonly events: number;
  readonly weight: number;
}

/**
 * Appends that are to stand in the log as they are given, in as few statements as their sizes allow: what goes on with a
 * stream of the same statement is made part of its append there.
 */
export function orderedBatches(appends: readonly Append[], sizes: BatchSizes): readonly OrderedBatch[] {
  const batches: BatchUnderWay[] = [];
  for (const append of appends) {
    const last = batches.at(-1);
    if (last?.takes(append, sizes) === true) last.add(append);
    else batches.push(new BatchUnderWay(append));
  }
  return batches.map((batch) => batch.whole());
}

interface Part {
  readonly nr: number;
  readonly expected: number;
  readonly events: NewEvent[];
}

class BatchUnderWay {
  readonly #byStream = new Map<string, Part>();
  readonly #listed: OrderedBatch['listed'][number][] = [];
  #weight = 0;

  constructor(first: Append) {
    this.add(first);
  }

  takes({ stream, expected, events, weight }: Append, sizes: BatchSizes): boolean {
    const part = this.#byStream.get(stream);
    const follows = part === undefined || expected === part.expected + part.events.length;
    const hasRoom =
      this.#listed.length + events.length <= sizes.events && this.#weight + weight <= sizes.weight;
    return follows && hasRoom;
  }

  add({ stream, expected, events, weight }: Append): void {
    const part = this.#byStream.get(stream) ?? { nr: this.#byStream.size + 1, expected, events: [] };
    this.#byStream.set(stream, part);
    for (const event of events) {
      part.events.push(event);
      this.#listed.push({ nr: part.nr, k: part.events.length, event });
    }
    this.#weight += weight;
  }

  whole(): OrderedBatch {
    const appends = [...this.#byStream].map(([stream, { expected, events }]) => ({
      stream,
      expected,
      events,
      weight: 0,
    }));
    return { appends, listed: this.#listed };
  }
}
