import { createHash } from 'node:crypto';
import type { Entitlement } from '../../policy/entitlement.js';
import { type PlannedChange, type ScheduledChange, scheduledChange } from './scheduled-change.js';
import { snapshotAt, type UserRow } from './user-row.js';

/** What the API serves of one user (DESIGN 10). Times are RFC 3339 UTC with milliseconds. */
export interface Snapshot extends Entitlement {
  readonly userId: string;
  /** What is to come at the period's end; it is outside the version. */
  readonly scheduledChange: ScheduledChange | null;
  readonly revocationVersion: number;
  /** Position of the event that last changed this snapshot, `null` while nothing did. */
  readonly position: string | null;
  readonly changedAt: string | null;
  /** Only of whom an event could not be applied: which one, and since when. */
  readonly faulted?: Faulted;
}

/** A snapshot as it was served, without what was to come then: that is not kept. */
export type PastSnapshot = Omit<Snapshot, 'scheduledChange'>;

/** The first event that is missing in what is served of a user, and since when (RFC 3339). */
export interface Faulted {
  readonly since: string;
  readonly position: string;
}

/**
 * A snapshot ready to send: its JSON, a strong entity tag of that text, and the checkpoint it was read at ("0" before
 * the first event). `holdsUntil` (Unix ms) is when time alone makes it another one.
 */
export interface Served {
  readonly userId: string;
  readonly snapshot: Snapshot;
  readonly body: string;
  readonly etag: string;
  readonly position: string;
  readonly holdsUntil: number;
}

/** What a snapshot takes in memory, bytes: measured, three times its text and its names. */
export function servedBytes({ body }: Served): number {
  return 300 + 3 * body.length;
}

/** What is served of a user beside the row. */
export interface ServedBeside {
  readonly faulted: Faulted | null;
  readonly planned: PlannedChange | null;
}

/** The snapshot of a row at `now` (Unix ms): by the clock, also when nobody has written the change by time yet. */
export function serve(
  row: UserRow,
  { faulted, planned }: ServedBeside,
  offset: number,
  position: string,
  now: number,
): Served {
  const { entitlement, counter, changedAt } = snapshotAt(row, now);
  const next = row.successors.find(({ at }) => at > now);
  const snapshot: Snapshot = {
    userId: row.userId,
    ...entitlement,
    scheduledChange: scheduledChange(row, entitlement, planned, now),
    revocationVersion: counter + offset,
    position: row.position,
    changedAt: changedAt === null ? null : new Date(changedAt).toISOString(),
    ...(faulted === null ? {} : { faulted }),
  };
  const body = JSON.stringify(snapshot);
  return {
    userId: row.userId,
    snapshot,
    body,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    position,
    holdsUntil: Math.min(
      next?.at ?? Number.POSITIVE_INFINITY,
      planned !== null && planned.at > now ? planned.at : Number.POSITIVE_INFINITY,
    ),
  };
}
