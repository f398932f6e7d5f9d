import type { Held, Snapshot } from '../src/browser/snapshot.js';

/** A snapshot of `u1` on the default plan, never changed, but for what is named. */
export function freeSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    userId: 'u1',
    role: 'free',
    plan: 'free',
    status: 'none',
    features: [],
    limits: { members: 5 },
    subscriptionActive: false,
    expiresAt: null,
    cancelAt: null,
    pendingPayment: null,
    source: null,
    unmappedPrices: [],
    validUntil: null,
    scheduledChange: null,
    revocationVersion: 0,
    position: null,
    changedAt: null,
    ...changes,
  };
}

/** A snapshot of `u1` on the plan `plus`, paid, but for what is named. */
export function paidSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return freeSnapshot({
    role: 'paid',
    plan: 'plus',
    status: 'active',
    features: ['export', 'reports'],
    limits: { members: 500 },
    subscriptionActive: true,
    expiresAt: '2026-12-01T00:00:00.000Z',
    source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
    revocationVersion: 1,
    position: '100',
    changedAt: '2026-11-01T09:30:02.000Z',
    ...changes,
  });
}

/** What a server gave with its ETag. */
export function held(snapshot: Snapshot): Held {
  return { snapshot, etag: etagOf(snapshot), cursor: null };
}

/** An ETag that is another one for every other snapshot. */
export function etagOf(snapshot: Snapshot): string {
  const said = JSON.stringify(snapshot);
  return `"${snapshot.userId}-${snapshot.revocationVersion}-${said.length}-${snapshot.position}-${snapshot.expiresAt}"`;
}
