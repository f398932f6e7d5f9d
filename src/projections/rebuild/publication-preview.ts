import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { metadataOf } from '../../commands/aggregate.js';
import { inTransaction, oneByOne } from '../../database/in-transaction.js';
import { isTransient } from '../../database/transient.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { GENESIS_HASH } from '../../events/hash-chain.js';
import type { Position } from '../../events/stored-event.js';
import type { LoadedCatalog } from '../../plans/plan-file.js';
import { type LiveCheckpoint, readLiveCheckpoint } from '../engine/checkpoint.js';
import type { ProjectionCursor } from '../engine/projector.js';
import type { EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import type { EntitlementsBatch } from '../entitlements/entitlements-batch.js';
import type { Queries } from '../entitlements/fact-queries.js';
import { aroundServer, offsetAfter, type Timeline } from '../entitlements/served-version.js';
import { defaultUserRow } from '../entitlements/user-row.js';
import { ChangeCounter, type ChangeSummary, differenceOf } from './change-summary.js';
import { NoCatalogError, PublicationUnderWayError, PublicationWouldFaultError } from './errors.js';
import { PlanMoves, type PlanMovesReport } from './plan-moves.js';
import { readLastCatalog, readServedUsers } from './served-users.js';

/**
 * What the publication of a catalogue would change, if it were the next event of the log now. `hashBefore` is the
 * catalogue published last; where it is the same, publishing appends nothing. `judged` counts the users known.
 */
export interface PublicationReport extends ChangeSummary, PlanMovesReport {
  /** RFC 3339: the moment at which users are judged. */
  readonly at: string;
  /** Last event that the read models hold; the publication would come after it. */
  readonly position: Position | null;
  readonly generation: number;
  readonly hashBefore: string;
  readonly hashAfter: string;
  readonly judged: number;
  /** Whether users without a row are served something else; their version is 0 and stays. */
  readonly defaultChanged: boolean;
}

export interface PublicationPreviewOptions {
  /** Connections without a limit on the time of a transaction. */
  readonly pool: Pool;
  readonly projection: string;
  readonly projectorOn: (queries: Queries, generation: number) => EntitlementsProjector;
  /** How long a publication that is under way is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now: () => number;
}

/** Called after each slice of users: how many were judged, of how many that have a row. */
export type OnJudged = (judged: number, users: number) => void;

const LOOK_MS = 100;

/**
 * Does to every user what the publication of `given` would do, by the very code of the projection, on a snapshot of the
 * live generation, and compares. Nothing is written, nothing waits: neither reads nor the projection.
 * @throws NoCatalogError, PublicationUnderWayError, PublicationWouldFaultError
 */
export async function previewPublication(
  options: PublicationPreviewOptions,
  given: LoadedCatalog,
  onJudged: OnJudged,
): Promise<PublicationReport> {
  const deadline = Date.now() + options.patienceMs;
  for (;;) {
    const report = await inTransaction(
      options.pool,
      (client) => preview(options, client, given, onJudged),
      'repeatable read read only',
    );
    if (report !== 'under way') return report;
    if (Date.now() >= deadline) {
      const live = await readLiveCheckpoint(options.pool, options.projection);
      throw new PublicationUnderWayError(live?.generation ?? 0);
    }
    await pause(LOOK_MS);
  }
}

async function preview(
  options: PublicationPreviewOptions,
  client: PoolClient,
  given: LoadedCatalog,
  onJudged: OnJudged,
): Promise<PublicationReport | 'under way'> {
  const live = await readLiveCheckpoint(client, options.projection);
  const last = live === null ? null : await readLastCatalog(client, live.generation);
  if (live === null || last === null) throw new NoCatalogError();
  if (live.checkpoint.partialProgress.length > 0) return 'under way';
  const now = Math.max(live.checkpoint.logicalTime, options.now());
  const [counter, moves] = [new ChangeCounter(), new PlanMoves()];
  let [judged, defaultChanged] = [0, false];
  if (last.hash !== given.hash) {
    for await (const batch of judgeAnew(options, oneByOne(client), live, given, now)) {
      const before = await readServedUsers(client, live.generation, [...batch.users.keys()], last.byDefault);
      for (const [userId, after] of batch.users) {
        const { row, offset } = before.get(userId) ?? {
          row: defaultUserRow(userId, last.byDefault),
          offset: 0,
        };
        countUser(userId, row, after, offset, now, counter, moves);
      }
      judged += batch.users.size;
      defaultChanged ||= JSON.stringify(last.byDefault) !== JSON.stringify(batch.byDefault);
      onJudged(judged, last.users);
    }
  }
  return {
    at: new Date(now).toISOString(),
    position: live.checkpoint.handled,
    generation: live.generation,
    hashBefore: last.hash,
    hashAfter: given.hash,
    judged,
    ...counter.changes,
    ...moves.report,
    defaultChanged,
  };
}

/** Batches of the publication as the live fold would make them, none of which is written. */
async function* judgeAnew(
  { projectorOn }: PublicationPreviewOptions,
  queries: Queries,
  { generation, checkpoint }: LiveCheckpoint,
  given: LoadedCatalog,
  now: number,
): AsyncGenerator<EntitlementsBatch> {
  const projector = projectorOn(queries, generation);
  const event = publicationOf(given, checkpoint.handled, now);
  let from: ProjectionCursor = { ...checkpoint, partialProgress: [], logicalTime: now };
  let isBegun = false;
  do {
    let batch: EntitlementsBatch;
    try {
      batch = await (isBegun ? projector.writePart(from, null) : projector.project([event], from));
    } catch (error) {
      throw isTransient(error) ? error : new PublicationWouldFaultError(error);
    }
    const [failed] = batch.newlySetAside;
    if (failed !== undefined) throw new PublicationWouldFaultError(new Error(failed.message));
    isBegun = true;
    yield batch;
    from = {
      ...from,
      handled: event.position,
      partialProgress: batch.partialProgress,
      logicalTime: batch.logicalTime,
    };
  } while (from.partialProgress.length > 0);
}

/** The event that a publication after `handled` would be. It is never appended: only what is judged by it counts. */
function publicationOf(
  { catalog, hash }: LoadedCatalog,
  handled: Position | null,
  now: number,
): EventEnvelope {
  const origin = { actor: 'preview', correlationId: 'preview', causation: null, stripe: null };
  return {
    type: 'PlanCatalogPublished',
    data: { hash, catalog },
    stream: 'preview',
    revision: 0,
    position: String(BigInt(handled ?? '0') + 1n),
    id: randomUUID(),
    metadata: { ...metadataOf(origin, now, 1), prevHash: GENESIS_HASH, hash: GENESIS_HASH },
  };
}

function countUser(
  userId: string,
  old: Timeline,
  next: Timeline,
  offset: number,
  now: number,
  changes: ChangeCounter,
  moves: PlanMoves,
): void {
  const { before, after, kinds, differs } = differenceOf(old, next, now);
  if (kinds.length === 0) {
    if (differs) changes.add('details only');
    return;
  }
  moves.add(before.entitlement, after.entitlement);
  changes.add({
    userId,
    kinds,
    before: before.entitlement,
    after: after.entitlement,
    versionBefore: before.counter + offset,
    versionAfter: after.counter + offsetAfter(old, offset, next, aroundServer(now), offset),
  });
}
