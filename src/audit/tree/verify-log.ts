import type { EventStore } from '../../event-store/event-store.js';
import { ChainCheck, eventsOf, pagesAheadOf } from '../../event-store/log-transfer.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import type { Checkpoint } from '../merkle/checkpoint.js';
import { type EventMark, leafOf } from '../merkle/leaf.js';
import { RunningTree } from '../merkle/running-tree.js';
import { markOrNull } from './build-tree.js';
import type { TreeCopy } from './tree-copy.js';

/** A checkpoint to hold the log against. */
export interface KnownCheckpoint {
  /** Where it is from, for people. */
  readonly from: string;
  readonly checkpoint: Checkpoint;
}

/** What became of one: the log has its events, as they were; it has others; or it ends before them. */
export type Verdict = 'holds' | 'differs' | 'too_short';

/** An event, or where one should be, as a report names it. */
export interface EventPlace {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly position: Position;
  readonly id: string;
}

/** An event that does not follow from what is before it in its stream, and why. */
export interface BrokenEvent extends EventPlace {
  readonly why: string;
}

/**
 * The first place at which the log is not what a copy of its tree says. `changed`: another event stands there; `missing`: the
 * event of the copy is nowhere behind it, and the log goes on with the next; `added`: the event of the log is not in the copy;
 * `moved`: both are elsewhere.
 */
export interface Difference {
  readonly index: number;
  readonly kind: 'changed' | 'missing' | 'added' | 'moved';
  /** What stands there in the log; `null`: it has ended. */
  readonly found: EventPlace | null;
  /** What the copy has there. */
  readonly expected: EventMark;
}

export interface LogReport {
  readonly events: number;
  /** The first of the broken ones, and how many there are. */
  readonly broken: readonly BrokenEvent[];
  readonly brokenCount: number;
  readonly checkpoints: readonly (KnownCheckpoint & { readonly verdict: Verdict })[];
  /** `null`: none, or nothing to compare with. */
  readonly difference: Difference | null;
  /** Events behind the newest checkpoint, which their own chains alone vouch for. */
  readonly unproven: number;
}

export interface VerifyOptions {
  readonly store: EventStore;
  readonly checkpoints: readonly KnownCheckpoint[];
  /** A copy of the tree that was kept elsewhere. */
  readonly copy: TreeCopy | null;
  readonly onProgress: (events: number) => void;
}

const MOST_BROKEN = 20;
const PROGRESS_EVERY = 1_000;

/**
 * Reads the log once, from end to end, in memory of a fixed size, and holds it against itself (each stream's chain), against
 * checkpoints (its tree) and against a copy of the tree (event by event).
 * @throws what the store and the copy throw
 */
export async function verifyLog(options: VerifyOptions): Promise<LogReport> {
  const { store, checkpoints, copy, onProgress } = options;
  const chains = new ChainCheck(store);
  const tree = new RunningTree();
  const verdicts = new Map<KnownCheckpoint, Verdict>();
  const sizes = new Set(checkpoints.map(({ checkpoint }) => checkpoint.size));
  const judge = (): void => {
    for (const known of checkpoints.filter(({ checkpoint }) => checkpoint.size === tree.size)) {
      verdicts.set(known, tree.root().equals(known.checkpoint.root) ? 'holds' : 'differs');
    }
  };
  const broken: BrokenEvent[] = [];
  let brokenCount = 0;
  let at: { readonly index: number; readonly event: StoredEvent } | null = null;
  judge();
  for await (const page of pagesAheadOf(store)) {
    for (const event of page) {
      const { hash, broken: why } = await chains.check(event);
      if (why !== null) {
        brokenCount += 1;
        if (broken.length < MOST_BROKEN) broken.push({ ...placeOf(event), why });
      }
      // An event whose hash does not follow from what it holds is none that anybody signed, whatever hash it says.
      const leaf = leafOf(tree.size, { id: event.id, hash: hash ?? '' });
      if (at === null && copy !== null && tree.size < copy.size) {
        if (!(await copy.leaf(tree.size)).equals(leaf)) at = { index: tree.size, event };
      }
      tree.add(leaf);
      if (sizes.has(tree.size)) judge();
      if (tree.size % PROGRESS_EVERY === 0) onProgress(tree.size);
    }
  }
  const newest = Math.max(0, ...checkpoints.map(({ checkpoint }) => checkpoint.size));
  return {
    events: tree.size,
    broken,
    brokenCount,
    checkpoints: checkpoints.map((known) => ({ ...known, verdict: verdicts.get(known) ?? 'too_short' })),
    difference: copy === null ? null : await differenceOf(store, copy, at, tree.size),
    unproven: Math.max(0, tree.size - newest),
  };
}

function placeOf({ stream, revision, type, position, id }: StoredEvent): EventPlace {
  return { stream, revision, type, position, id };
}

async function differenceOf(
  store: EventStore,
  copy: TreeCopy,
  at: { readonly index: number; readonly event: StoredEvent } | null,
  events: number,
): Promise<Difference | null> {
  if (at === null && events >= copy.size) return null;
  const index = at?.index ?? events;
  const expected = await copy.mark(index);
  if (at === null) return { index, kind: 'missing', found: null, expected };
  const isElsewhere = await isInLog(store, index, expected);
  const isKnown = await isInCopy(copy, index, markOrNull(at.event));
  const kind = isElsewhere ? (isKnown ? 'moved' : 'added') : isKnown ? 'missing' : 'changed';
  return { index, kind, found: placeOf(at.event), expected };
}

/** Whether an event of the copy stands in the log behind an index. */
async function isInLog(store: EventStore, index: number, { id, hash }: EventMark): Promise<boolean> {
  let place = 0;
  for await (const event of eventsOf(store)) {
    if (place > index && event.id === id && markOrNull(event)?.hash === hash) return true;
    place += 1;
  }
  return false;
}

/** Whether an event of the log stands in the copy behind an index. */
async function isInCopy(copy: TreeCopy, index: number, mark: EventMark | null): Promise<boolean> {
  if (mark === null) return false;
  for (let place = index + 1; place < copy.size; place += 1) {
    const { id, hash } = await copy.mark(place);
    if (id === mark.id && hash === mark.hash) return true;
  }
  return false;
}
