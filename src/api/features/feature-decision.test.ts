import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { decideFeature, type FeatureDecision } from './feature-decision.js';

const catalog: PlanCatalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free', features: ['reports'], limits: { members: 50 } },
    plus: {
      rank: 1,
      role: 'paid',
      features: ['reports', 'export'],
      limits: { members: 500 },
      prices: { m: 'p1' },
    },
    pro: {
      rank: 2,
      role: 'paid',
      features: ['export', 'api'],
      limits: { members: 5000, seats: 3 },
      prices: { m: 'p2' },
    },
    old: { rank: 3, role: 'paid', features: ['sso'], limits: {}, prices: { m: 'p3' }, sellable: false },
    top: {
      rank: 4,
      role: 'paid',
      features: ['sso', 'seats'],
      limits: { members: 'unlimited' },
      prices: { m: 'p4' },
    },
  },
  addons: { seats: { prices: ['p5'], limits: { members: 10 } } },
});

const free: Entitlement = {
  role: 'free',
  plan: 'free',
  status: 'none',
  features: ['reports'],
  limits: { members: 50 },
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
};
const plus: Entitlement = {
  ...free,
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export', 'reports'],
  limits: { members: 500 },
  subscriptionActive: true,
};
const top: Entitlement = {
  ...plus,
  plan: 'top',
  features: ['reports', 'seats', 'sso'],
  limits: { members: 'unlimited' },
};
const pendingPro = {
  plan: 'pro',
  price: 'p2',
  since: '2026-01-01T00:00:00.000Z',
  invoice: null,
  reason: 'no_invoice',
} as const;

interface Row {
  readonly given: string;
  readonly snapshot: Entitlement;
  readonly key: string;
  readonly amount?: number;
  readonly used?: number;
  readonly expected: FeatureDecision;
}

const features: readonly Row[] = [
  {
    given: 'a feature of the plan',
    snapshot: plus,
    key: 'export',
    expected: { allowed: true, reason: 'in_plan', plan: 'plus' },
  },
  {
    given: 'a feature of the default plan',
    snapshot: free,
    key: 'reports',
    expected: { allowed: true, reason: 'in_plan', plan: 'free' },
  },
  {
    given: 'a feature of a plan past due',
    snapshot: { ...plus, status: 'past_due' },
    key: 'export',
    expected: { allowed: true, reason: 'grace', plan: 'plus' },
  },
  {
    given: 'a feature of the default plan while past due',
    snapshot: { ...plus, status: 'past_due' },
    key: 'reports',
    expected: { allowed: true, reason: 'in_plan', plan: 'plus' },
  },
  {
    given: 'a feature of a higher plan',
    snapshot: plus,
    key: 'api',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'pro' },
  },
  {
    given: 'a feature of a plan no longer sold and of one that is',
    snapshot: plus,
    key: 'sso',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'top' },
  },
  {
    given: 'a feature that only lower plans have',
    snapshot: { ...top, features: ['sso'] },
    key: 'export',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'top' },
  },
  {
    given: 'a feature of the plan whose payment is awaited',
    snapshot: { ...plus, pendingPayment: pendingPro },
    key: 'api',
    expected: { allowed: false, reason: 'pending_payment', plan: 'plus' },
  },
  {
    given: 'a feature that the awaited plan does not have either',
    snapshot: { ...plus, pendingPayment: pendingPro },
    key: 'sso',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'top' },
  },
  ...(['unpaid', 'paused', 'past_due'] as const).map((status) => ({
    given: `a subscription that is ${status} and gives nothing`,
    snapshot: { ...free, status },
    key: 'export',
    expected: { allowed: false, reason: 'suspended', plan: 'free' } as const,
  })),
  ...(['canceled', 'unknown', 'none'] as const).map((status) => ({
    given: `status ${status}`,
    snapshot: { ...free, status },
    key: 'export',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'free', upgradeTo: 'plus' } as const,
  })),
  {
    given: 'a plan past due that still gives and lacks the feature',
    snapshot: { ...plus, status: 'past_due' },
    key: 'api',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'pro' },
  },
  {
    given: 'a key in no plan',
    snapshot: top,
    key: 'teleport',
    expected: { allowed: false, reason: 'unknown_feature', plan: 'top' },
  },
  {
    given: 'a key every object inherits',
    snapshot: top,
    key: 'constructor',
    expected: { allowed: false, reason: 'unknown_feature', plan: 'top' },
  },
];

const limits: readonly Row[] = [
  {
    given: 'one within the limit',
    snapshot: plus,
    key: 'members',
    expected: { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500 },
  },
  {
    given: 'exactly what is left',
    snapshot: plus,
    key: 'members',
    amount: 20,
    used: 480,
    expected: { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500, used: 480, remaining: 20 },
  },
  {
    given: 'one more than what is left',
    snapshot: plus,
    key: 'members',
    amount: 21,
    used: 480,
    expected: {
      allowed: false,
      reason: 'limit_reached',
      plan: 'plus',
      limit: 500,
      used: 480,
      remaining: 20,
      upgradeTo: 'pro',
    },
  },
  {
    given: 'more used than the limit allows',
    snapshot: free,
    key: 'members',
    used: 80,
    expected: {
      allowed: false,
      reason: 'limit_reached',
      plan: 'free',
      limit: 50,
      used: 80,
      remaining: 0,
      over: 30,
      upgradeTo: 'plus',
    },
  },
  {
    given: 'more than the next plan has',
    snapshot: plus,
    key: 'members',
    amount: 5001,
    expected: { allowed: false, reason: 'limit_reached', plan: 'plus', limit: 500, upgradeTo: 'top' },
  },
  {
    given: 'an amount that add-ons cover',
    snapshot: { ...plus, limits: { members: 530 } },
    key: 'members',
    amount: 510,
    expected: { allowed: true, reason: 'addon', plan: 'plus', limit: 530 },
  },
  {
    given: 'an amount the plan covers though there are add-ons',
    snapshot: { ...plus, limits: { members: 530 } },
    key: 'members',
    amount: 500,
    expected: { allowed: true, reason: 'in_plan', plan: 'plus', limit: 530 },
  },
  {
    given: 'an amount that the next plan covers with the add-ons kept',
    snapshot: { ...plus, limits: { members: 530 } },
    key: 'members',
    amount: 5030,
    expected: { allowed: false, reason: 'limit_reached', plan: 'plus', limit: 530, upgradeTo: 'pro' },
  },
  {
    given: 'an unlimited plan',
    snapshot: top,
    key: 'members',
    amount: 1_000_000,
    used: 7,
    expected: {
      allowed: true,
      reason: 'in_plan',
      plan: 'top',
      limit: 'unlimited',
      used: 7,
      remaining: 'unlimited',
    },
  },
  {
    given: 'a limit of a plan past due',
    snapshot: { ...plus, status: 'past_due' },
    key: 'members',
    amount: 400,
    expected: { allowed: true, reason: 'grace', plan: 'plus', limit: 500 },
  },
  {
    given: 'a limit the default plan covers while past due',
    snapshot: { ...plus, status: 'past_due' },
    key: 'members',
    amount: 40,
    expected: { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500 },
  },
  {
    given: 'an amount that the awaited plan would cover',
    snapshot: { ...plus, pendingPayment: pendingPro },
    key: 'members',
    amount: 900,
    expected: { allowed: false, reason: 'pending_payment', plan: 'plus', limit: 500 },
  },
  {
    given: 'an amount over the default limit while unpaid',
    snapshot: { ...free, status: 'unpaid' },
    key: 'members',
    amount: 51,
    expected: { allowed: false, reason: 'suspended', plan: 'free', limit: 50 },
  },
  {
    given: 'a limit that is only in a higher plan',
    snapshot: { ...plus, features: [...plus.features, 'seats'] },
    key: 'seats',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'pro' },
  },
  {
    given: 'a key that is a feature and a limit, without the feature',
    snapshot: { ...plus, limits: { members: 500, seats: 3 } },
    key: 'seats',
    expected: { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'top' },
  },
];

describe('A question about a feature or a limit', () => {
  it.each([...features, ...limits])(
    'is answered $expected.reason, in plan $expected.plan, for $given',
    ({ snapshot, key, amount, used, expected }) => {
      expect(decideFeature(snapshot, catalog, { key, amount: amount ?? 1, used: used ?? null })).toEqual(
        expected,
      );
    },
  );
});
