import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { readLiveCheckpoint } from '../../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import { AsOfReader } from '../as-of/as-of.js';
import { HistoryRebuiltError, NotLevelError } from '../errors.js';
import { UserHistory } from '../history/user-history.js';
import { parseCheckpointText } from '../merkle/checkpoint.js';
import { privateKeyOf, signText } from '../merkle/note-keys.js';
import { formatNote, parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { verifierKeysOf } from '../tree/audit-key.js';
import { openAuditKey, readAuditKeys } from '../tree/audit-key.repository.js';
import { AuditKeyUnreadableError } from '../tree/errors.js';
import { signingKeys } from '../tree/sign-checkpoint.js';
import { type LogTree, readTrees, readWholeTile } from '../tree/tree.repository.js';
import type { TreeKeeper } from '../tree/tree-keeper.js';
import { type SnapshotByBothClocks, snapshotsByBothClocks } from './both-clocks.js';
import {
  ExportOvertakenError,
  NoCheckpointError,
  NothingKnownError,
  OtherCheckpointError,
} from './errors.js';
import type { ExportedUser } from './export-lines.js';
import { proveEvents } from './proven-events.js';
import { inOrder, readUserLog, type UserLog } from './user-log.js';

export interface ExportUserOptions {
  readonly pool: Pool;
  readonly store: EventStore;
  readonly secrets: SealedSecrets;
  /** Signs a checkpoint of the whole log before anything is exported. */
  readonly keeper: Pick<TreeKeeper, 'keepUp'>;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** The version of Tenure. */
  readonly release: string;
  /** Unix ms. */
  readonly now: () => number;
}

/** How often an export is begun anew where more was recorded meanwhile. */
const TRIES = 5;
/** How long the read models may take to come to the end of the log, and how often they are looked at, in milliseconds. */
const LEVEL_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * Puts together what is exported of a user: the events, all of them in the tree of one signed checkpoint, and what followed from
 * these and no others. Where more is recorded of the user meanwhile, it begins anew.
 * @param kept a signed checkpoint of this log that the tree is to be proved to go on from; `null`: none
 * @throws NothingKnownError, ExportOvertakenError, NotLevelError, OtherCheckpointError, what signing throws and the stores answer
 */
export async function exportUser(
  options: ExportUserOptions,
  userId: string,
  kept: string | null,
): Promise<ExportedUser> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    await options.keeper.keepUp();
    const exported = await exportOnce(options, userId, kept);
    if (exported !== null) return exported;
  }
  throw new ExportOvertakenError();
}

/** `null`: something was recorded that the checkpoint does not cover. */
async function exportOnce(
  options: ExportUserOptions,
  userId: string,
  kept: string | null,
): Promise<ExportedUser | null> {
  const { pool, store, release, now } = options;
  const [tree] = await readTrees(pool);
  if (tree === undefined || tree.checkpoint === null) throw new NoCheckpointError();
  await reach(pool, await store.head()); // else nobody knows yet whose the newest events are
  const log = await readUserLog(options, userId);
  await reach(pool, log.events.at(-1)?.position ?? null);
  const snapshots = await snapshotsOf(options, userId);
  if (snapshots === null) return null;
  if (snapshots.length === 0) throw new NothingKnownError();
  const meanwhile = await readUserLog(options, userId);
  if (meanwhile.events.length !== log.events.length) return null;
  const behind = await eventsBehind(store, snapshots, log);
  const events = await proveEvents(pool, tree, inOrder([...log.events, ...behind]));
  if (events === null) return null;
  return {
    userId,
    origin: tree.origin,
    exportedAt: new Date(now()).toISOString(),
    release,
    keys: await readAuditKeys(pool),
    checkpoint: tree.checkpoint,
    older: kept === null ? [] : [await continuation(pool, tree, kept)],
    events,
    wholeStreams: log.wholeStreams,
    snapshots,
  };
}

/** Signs a text about an export, with every key that it names and that signs checkpoints now. @throws AuditKeyUnreadableError */
export async function signStatement(
  { pool, secrets, now }: Pick<ExportUserOptions, 'pool' | 'secrets' | 'now'>,
  { origin, keys: named }: Pick<ExportedUser, 'origin' | 'keys'>,
  text: string,
): Promise<string> {
  const signing = await signingKeys({ pool, secrets, now }, now());
  const keys = signing.filter(({ id }) => named.some((key) => key.id === id)); // of one made since nobody would know
  const signatures = keys.flatMap((key) => {
    const seed = openAuditKey(secrets, key);
    if (seed === null && key.retiredAt !== null) return []; // its successor signs
    if (seed === null) throw new AuditKeyUnreadableError();
    const [{ id }] = verifierKeysOf(key, origin);
    return [{ name: origin, id, signature: signText(text, privateKeyOf(seed)) }];
  });
  return formatNote({ text, signatures });
}

/** Waits until the read models show a position of the log; `null`: none. @throws NotLevelError */
async function reach(pool: Pool, last: Position | null): Promise<void> {
  const deadline = performance.now() + LEVEL_WITHIN_MS;
  for (;;) {
    const handled: Position | null =
      (await readLiveCheckpoint(pool, ENTITLEMENTS))?.checkpoint.handled ?? null;
    if (last === null || comparePositions(handled, last) >= 0) return;
    if (performance.now() > deadline) throw new NotLevelError(handled, last);
    await pause(LOOK_EVERY_MS);
  }
}

/** `null`: the read models were built anew meanwhile. */
async function snapshotsOf(
  { pool, store, streamPrefix, now }: ExportUserOptions,
  userId: string,
): Promise<readonly SnapshotByBothClocks[] | null> {
  const histories = new UserHistory({ pool, store, streamPrefix });
  const asOf = new AsOfReader({ pool, store, streamPrefix, now, reach: async () => true });
  try {
    return await snapshotsByBothClocks({ histories, asOf, now }, userId);
  } catch (error) {
    if (error instanceof HistoryRebuiltError) return null;
    throw error;
  }
}

/** Events behind snapshots and reasons that are on none of the streams. */
async function eventsBehind(
  store: EventStore,
  snapshots: readonly SnapshotByBothClocks[],
  { events }: UserLog,
): Promise<readonly StoredEvent[]> {
  const known = new Set(events.map(({ id }) => id));
  const named = new Map<string, Position>();
  for (const { cause, reasons } of snapshots) {
    const told = [...(reasons.served ?? []), ...reasons.held].flatMap((reason) => reason.events);
    for (const { id, position } of cause?.kind === 'event' ? [...told, cause] : told) {
      if (id !== null && position !== null && !known.has(id)) named.set(id, position);
    }
  }
  const found = await Promise.all([...named].map(([, position]) => store.eventAt(position)));
  return found.flatMap((event) => (event !== null && named.get(event.id) === event.position ? [event] : []));
}

/** @throws OtherCheckpointError where the tree does not go on from the checkpoint */
async function continuation(pool: Pool, { tree, origin, checkpointSize }: LogTree, kept: string) {
  const { origin: of, size, root } = parseCheckpointText(parseNote(kept).text);
  const tiles = new TileTree(checkpointSize, (tile) => readWholeTile(pool, tree, tile));
  if (of !== origin) throw new OtherCheckpointError(`the checkpoint is of ${of}, and the log is ${origin}`);
  if (size === 0 || size > checkpointSize) {
    throw new OtherCheckpointError(`the checkpoint is of ${size} events, and the log has ${checkpointSize}`);
  }
  if (!(await tiles.root(size)).equals(root)) {
    throw new OtherCheckpointError(`the log's first ${size} events are not those of the checkpoint`);
  }
  return { note: kept, proof: await tiles.consistency(size) };
}
