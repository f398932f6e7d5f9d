import type { TenureError } from './errors.js';
import type { Limit, Snapshot } from './snapshot.js';

/**
 * `loading`: the service has not answered yet. `live`: what is shown is what it has. `stale`: it was, and may be out of date.
 * `error`: the service could not be asked, or refused, and nothing was known before.
 */
export type Status = 'loading' | 'live' | 'stale' | 'error';

/** What a page shows of its user. Another object whenever something in it changed. */
export interface ClientState {
  readonly status: Status;
  /** Snapshot that the service gave in this page's life. */
  readonly snapshot: Snapshot | null;
  /** What this browser saw last, perhaps days ago: for display alone. */
  readonly lastKnown: Snapshot | null;
  /** `validUntil` has passed and the service was not reached since: nothing is allowed by the snapshot any more. */
  readonly isExpired: boolean;
  /** Why the last request failed; `null` once one did not. */
  readonly error: TenureError | null;
}

export const NOTHING_YET: ClientState = {
  status: 'loading',
  snapshot: null,
  lastKnown: null,
  isExpired: false,
  error: null,
};

/**
 * Why a feature is allowed or not, as far as the snapshot tells it: `held`, or `not_held`, `pending_payment` (a plan waits for
 * its payment), `suspended` (a subscription gives nothing until it is paid or resumed), `expired`, `loading`, `unavailable`.
 * The service's `features/{key}` says more.
 */
export type FeatureReason =
  | 'held'
  | 'not_held'
  | 'pending_payment'
  | 'suspended'
  | 'expired'
  | 'loading'
  | 'unavailable';

export interface FeatureState {
  readonly allowed: boolean;
  readonly reason: FeatureReason;
  readonly status: Status;
  /** Limit of a key that has one. */
  readonly limit?: Limit;
}

/**
 * Whether a feature, or any of a limited thing, is allowed. A key of which the snapshot has a limit goes by that: whether it is a
 * feature besides, the service alone knows.
 */
export function featureOf({ snapshot, status, isExpired }: ClientState, key: string): FeatureState {
  if (snapshot === null) {
    return { allowed: false, reason: status === 'error' ? 'unavailable' : 'loading', status };
  }
  const limit = Object.hasOwn(snapshot.limits, key) ? snapshot.limits[key] : undefined;
  const shown = limit === undefined ? { status } : { status, limit };
  if (isExpired) return { allowed: false, reason: 'expired', ...shown };
  const isHeld = limit === undefined ? snapshot.features.includes(key) : limit !== 0;
  return isHeld
    ? { allowed: true, reason: 'held', ...shown }
    : { allowed: false, reason: refusal(snapshot), ...shown };
}

function refusal(snapshot: Snapshot): FeatureReason {
  if (snapshot.pendingPayment !== null) return 'pending_payment';
  const isSuspended = ['unpaid', 'paused', 'past_due'].includes(snapshot.status);
  return isSuspended && !snapshot.subscriptionActive ? 'suspended' : 'not_held';
}
