import type { Snapshot } from '../projections/entitlements/snapshot.js';
import { claimsOf } from './entitlement-token.js';

const NOW = Date.parse('2026-11-01T09:30:02.900Z');
const SNAPSHOT: Snapshot = {
  userId: 'u1',
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export'],
  limits: { members: 500, projects: 'unlimited' },
  subscriptionActive: true,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
  scheduledChange: null,
  revocationVersion: 3,
  position: '7',
  changedAt: null,
};
const claims = (more: Partial<Snapshot>) =>
  claimsOf({ ...SNAPSHOT, ...more }, { issuer: 'tenure', seconds: 300, now: NOW });

describe('The claims of an entitlement token', () => {
  it('are what the revocation version counts, and last as long as is set', () => {
    const iat = Math.floor(NOW / 1_000);
    expect(claims({})).toEqual({
      iss: 'tenure',
      sub: 'u1',
      iat,
      exp: iat + 300,
      ver: 3,
      role: 'paid',
      plan: 'plus',
      status: 'active',
      features: ['export'],
      limits: { members: 500, projects: 'unlimited' },
    });
  });

  it.each([
    ['2026-11-01T09:31:00.999Z', '2026-11-01T09:31:00.000Z'],
    ['2026-11-01T09:30:03.000Z', '2026-11-01T09:30:03.000Z'],
    ['2026-11-01T09:35:03.000Z', '2026-11-01T09:35:02.000Z'],
    ['2027-11-01T09:31:00.000Z', '2026-11-01T09:35:02.000Z'],
  ])('that are valid until %s end at %s', (validUntil, end) => {
    expect(new Date(claims({ validUntil }).exp * 1_000).toISOString()).toBe(end);
  });

  it('say of whom an event could not be applied', () => {
    const faulted = { since: '2026-11-01T09:00:00.000Z', position: '9' };
    expect(claims({ faulted }).faulted).toEqual(faulted);
  });
});
