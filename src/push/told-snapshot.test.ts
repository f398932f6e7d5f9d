import fc from 'fast-check';
import type { Entitlement } from '../policy/entitlement.js';
import { advance } from '../projections/entitlements/advance.js';
import { type ServedBeside, serve } from '../projections/entitlements/snapshot.js';
import { defaultUserRow, type UserRow } from '../projections/entitlements/user-row.js';
import { ToldSnapshot } from './told-snapshot.js';

const BEFORE: Entitlement = {
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export', 'reports'],
  limits: { members: 500 },
  subscriptionActive: true,
  expiresAt: '2026-12-01T00:00:00.000Z',
  cancelAt: null,
  pendingPayment: null,
  source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
  unmappedPrices: [],
  validUntil: null,
};
/** Of each part of an entitlement another value, and what a stream calls it when that alone changes. */
const OTHERS: { readonly [Part in keyof Entitlement]: readonly [Entitlement[Part], 'change' | 'update'] } = {
  role: ['staff', 'change'],
  plan: ['pro', 'change'],
  status: ['past_due', 'change'],
  features: [['reports'], 'change'],
  limits: [{ members: 501 }, 'change'],
  subscriptionActive: [false, 'update'],
  expiresAt: ['2027-01-01T00:00:00.000Z', 'update'],
  cancelAt: ['2026-12-01T00:00:00.000Z', 'update'],
  pendingPayment: [
    { plan: 'pro', price: 'p', since: '2026-11-29T12:00:00.000Z', invoice: null, reason: 'no_invoice' },
    'update',
  ],
  source: [{ type: 'grant', grantId: 'g' }, 'update'],
  unmappedPrices: [['price_x'], 'update'],
  validUntil: ['2026-12-01T00:00:00.000Z', 'update'],
};
const PARTS = Object.keys(OTHERS) as readonly (keyof Entitlement)[];
const NOTHING: ServedBeside = { faulted: null, planned: null };

function judged(row: UserRow, entitlement: Entitlement, at: number): UserRow {
  const cause = { eventId: `event ${at}`, eventType: 'SubscriptionUpdated', position: String(at) };
  const under = { ...cause, catalog: '1', now: at, lateAt: null };
  return advance(row, { entitlement, successors: [], adoptedPrices: [] }, under).row;
}

function told(row: UserRow, beside: ServedBeside = NOTHING): ToldSnapshot {
  return new ToldSnapshot(serve(row, beside, 0, row.position ?? '0', 10_000));
}

const row = judged(defaultUserRow('u', { ...BEFORE, plan: 'free', role: 'free' }), BEFORE, 1_000);

/** What a stream that has told `BEFORE` tells of another snapshot. */
function eventOf(after: ToldSnapshot): string | null {
  const { etag, snapshot } = told(row).served;
  return after.eventAfter({ etag, version: snapshot.revocationVersion });
}

describe('A stream', () => {
  it('tells `change` where access is another one, `update` of dates and all the rest, and nothing of nothing', () => {
    fc.assert(
      fc.property(fc.subarray([...PARTS]), (parts) => {
        const after = { ...BEFORE, ...Object.fromEntries(parts.map((part) => [part, OTHERS[part][0]])) };
        const kinds = parts.map((part) => OTHERS[part][1]);
        const expected = kinds.includes('change') ? 'change' : (kinds[0] ?? null);
        expect(eventOf(told(judged(row, after, 2_000)))).toBe(expected);
      }),
    );
  });

  it.each(PARTS)('calls another %s alone what it is', (part) => {
    const [value, event] = OTHERS[part];
    expect(eventOf(told(judged(row, { ...BEFORE, [part]: value }, 2_000)))).toBe(event);
  });

  it('tells of what is beside the judgement as `update`: the mark of a fault', () => {
    expect(eventOf(told(row, { ...NOTHING, faulted: { since: 's', position: '7' } }))).toBe('update');
  });
});
