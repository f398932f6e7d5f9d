import { z } from 'zod';
import type { LiveCheckpoint } from '../projections/engine/checkpoint.js';
import type { Served, Snapshot } from '../projections/entitlements/snapshot.js';
import { entitlementSchema } from '../projections/entitlements/user-row.js';
import type { CommitId, SharedSnapshot } from '../projections/read-models/snapshot-cache.js';

/** `{epoch} {live epoch} {revision} {event}` */
const LEVEL = /^(\S+) (\d+) (\d+) (\S+)$/;
/** `{epoch} {revision} {position} {version} {validUntil} {etag} {snapshot as JSON}`; `validUntil` in Unix ms, `-` of none. */
const VALUE = /^(\S+) \d+ (\d+) \d+ (\d+|-) (\S+) (\{.*\})$/s;

const snapshotSchema: z.ZodType<Snapshot> = entitlementSchema.extend({
  userId: z.string(),
  scheduledChange: z
    .strictObject({ plan: z.string(), interval: z.string().nullable(), at: z.string() })
    .nullable(),
  revocationVersion: z.number().int(),
  position: z.string().nullable(),
  changedAt: z.string().nullable(),
  faulted: z.strictObject({ since: z.string(), position: z.string() }).exactOptional(),
});

/** A commit, and the last event that was applied by then: `-` where none was. No other commit has both. */
export interface KnownCommit extends CommitId {
  readonly event: string;
}

/** Up to which commit Redis is told of changes; `epoch` begins anew wherever that is not known. */
export interface CacheLevel extends KnownCommit {
  readonly epoch: string;
}

/** The commit that a live checkpoint is at. */
export function commitOf({ liveEpoch, checkpoint }: LiveCheckpoint): KnownCommit {
  return { liveEpoch, revision: checkpoint.revision, event: checkpoint.eventId ?? '-' };
}

export function isSame(a: KnownCommit, b: KnownCommit): boolean {
  return a.liveEpoch === b.liveEpoch && a.revision === b.revision && a.event === b.event;
}

/** `null` where there is none, or nothing that we wrote. */
export function parseLevel(text: string | null): CacheLevel | null {
  const [, epoch, liveEpoch, revision, event] = LEVEL.exec(text ?? '') ?? [];
  if (epoch === undefined || event === undefined) return null;
  return { epoch, liveEpoch: Number(liveEpoch), revision: Number(revision), event };
}

/** The value of a user without its first two words, which Redis writes. */
export function textOf({ body, etag, position, holdsUntil, snapshot }: Served): string {
  const validUntil = Number.isFinite(holdsUntil) ? String(holdsUntil) : '-';
  return `${position} ${snapshot.revocationVersion} ${validUntil} ${etag} ${body}`;
}

/** The snapshot in a value, `null` where it is of another epoch or user, or nothing that we wrote. */
export function parseValue(text: string | null, userId: string, epoch: string): SharedSnapshot | null {
  const [, ofEpoch, position, validUntil, etag, body] = VALUE.exec(text ?? '') ?? [];
  if (ofEpoch !== epoch || position === undefined || etag === undefined || body === undefined) return null;
  const parsed = snapshotSchema.safeParse(jsonOf(body));
  if (!parsed.success || parsed.data.userId !== userId) return null;
  const holdsUntil = validUntil === '-' ? Number.POSITIVE_INFINITY : Number(validUntil);
  return { snapshot: parsed.data, body, etag, position, holdsUntil };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // others may write to Redis: what is no JSON is no snapshot
  }
}
