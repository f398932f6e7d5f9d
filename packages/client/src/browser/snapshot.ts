import { TenureError } from './errors.js';

/** Of a limit: how many, or no limit at all. */
export type Limit = number | 'unlimited';

/** What one user may do at one moment, as `GET /v1/users/{id}/entitlements` answers it. Times are RFC 3339 in UTC. */
export interface Snapshot {
  readonly userId: string;
  readonly role: string;
  readonly plan: string;
  readonly status: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly subscriptionActive: boolean;
  readonly expiresAt: string | null;
  readonly cancelAt: string | null;
  readonly pendingPayment: {
    readonly plan: string;
    readonly price: string;
    readonly since: string;
    readonly invoice: string | null;
    readonly reason: string;
  } | null;
  readonly source: Readonly<Record<string, unknown>> | null;
  readonly unmappedPrices: readonly string[];
  /** When time alone changes access next. */
  readonly validUntil: string | null;
  readonly scheduledChange: {
    readonly plan: string;
    readonly interval: string | null;
    readonly at: string;
  } | null;
  /** Grows whenever role, plan, status, features or limits change. */
  readonly revocationVersion: number;
  /** Position of the event that last changed this; an opaque decimal that compares as an integer. */
  readonly position: string | null;
  readonly changedAt: string | null;
  /** Mark that is there only where an event of the user could not be applied. */
  readonly faulted?: { readonly since: string; readonly position: string };
}

/** A snapshot, with the ETag and the cursor of the stream that came with this very body. */
export interface Held {
  readonly snapshot: Snapshot;
  readonly etag: string | null;
  readonly cursor: string | null;
}

/**
 * What came from a server, a tab or a storage as a snapshot. What decisions read is checked; fields of later versions stay.
 * @throws TenureError `malformed_answer`
 */
export function parseSnapshot(value: unknown): Snapshot {
  if (!isSnapshot(value)) throw new TenureError('malformed_answer', 'This is no snapshot of a user.');
  return value;
}

/** Whether a value has what decisions read of a snapshot. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (!isRecord(value)) return false;
  const { features, limits, revocationVersion, position } = value;
  return (
    ['userId', 'role', 'plan', 'status'].every((name) => typeof value[name] === 'string') &&
    Array.isArray(features) &&
    features.every((feature) => typeof feature === 'string') &&
    isRecord(limits) &&
    Object.values(limits).every((limit) => typeof limit === 'number' || limit === 'unlimited') &&
    Number.isInteger(revocationVersion) &&
    (position === null || isPosition(position))
  );
}

/** Whether a value is an object that is no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a place in the log. */
export function isPosition(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}

/** The later of two positions; `null` is before all. */
export function laterOf(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return BigInt(a) >= BigInt(b) ? a : b;
}

/** Whether nothing that `b` knew is missing in `a`: a higher version, or the same one changed no earlier. */
export function isNoOlder(a: Snapshot, b: Snapshot): boolean {
  if (a.revocationVersion !== b.revocationVersion) return a.revocationVersion > b.revocationVersion;
  return laterOf(a.position, b.position) === a.position;
}

/** What became of access between two snapshots: more of it, something else, or nothing that one can see. */
export type AccessChange = 'upgraded' | 'changed' | 'same';

/**
 * Compares what two snapshots give. `upgraded`: everything that was there and something more; a change of the version that is
 * none of that, be it a loss or another plan or status, is `changed`.
 */
export function accessChange(before: Snapshot, after: Snapshot): AccessChange {
  const isSame =
    before.revocationVersion === after.revocationVersion &&
    before.role === after.role &&
    before.plan === after.plan &&
    before.status === after.status;
  const lost = !givesAll(after, before);
  const gained = !givesAll(before, after);
  if (gained && !lost) return 'upgraded';
  return isSame && !lost ? 'same' : 'changed';
}

function givesAll(giver: Snapshot, wanted: Snapshot): boolean {
  return (
    wanted.features.every((feature) => giver.features.includes(feature)) &&
    Object.entries(wanted.limits).every(([key, limit]) => amount(giver.limits[key]) >= amount(limit))
  );
}

function amount(limit: Limit | undefined): number {
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : (limit ?? 0);
}
