import { isSameEntitlement } from './access-part.js';
import type { Entitlement } from './entitlement.js';

const held: Entitlement = {
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export', 'reports'],
  limits: { members: 5, storage: 'unlimited' },
  subscriptionActive: true,
  expiresAt: '2026-01-01T00:00:00.000Z',
  cancelAt: null,
  pendingPayment: null,
  source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
  unmappedPrices: [],
  validUntil: null,
};

/** Another value for each key: a key that is added and not compared has no line here, or one that is red. */
const others: Entitlement = {
  role: 'free',
  plan: 'pro',
  status: 'past_due',
  features: ['export'],
  limits: { members: 6, storage: 'unlimited' },
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: '2026-01-01T00:00:00.000Z',
  pendingPayment: { plan: 'pro', price: 'pro_m', since: 'x', invoice: null, reason: 'no_invoice' },
  source: { type: 'subscription', subscriptionId: 'sub_1', customerId: null },
  unmappedPrices: ['price_1'],
  validUntil: '2026-01-01T00:00:00.000Z',
};

describe('An entitlement', () => {
  it('is the same as one that is read back of its text', () => {
    expect(isSameEntitlement(held, JSON.parse(JSON.stringify(held)) as Entitlement)).toBe(true);
    expect(isSameEntitlement(others, JSON.parse(JSON.stringify(others)) as Entitlement)).toBe(true);
  });

  it.each(Object.entries(others))('is not the same where %s is another', (key, other) => {
    expect(isSameEntitlement(held, { ...held, [key]: other })).toBe(false);
    expect(isSameEntitlement({ ...held, [key]: other }, held)).toBe(false);
  });
});
