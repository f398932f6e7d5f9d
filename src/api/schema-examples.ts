import type { z } from 'zod';
import { VERSION } from '../observability/version.js';
import { AUTHZEN_EXAMPLES } from './access/authzen.schemas.js';
import { AUDIT_EXAMPLES } from './audit/audit.examples.js';
import { CHECKOUT_EXAMPLES } from './checkout/checkout.schemas.js';
import { GRANTS_EXAMPLES } from './grants/grants.examples.js';
import type { NAMED } from './named-schemas.js';
import { OFREP_EXAMPLES } from './ofrep/ofrep.schemas.js';
import { IMPORTING, RECONCILING } from './ops/job.examples.js';
import { PROJECTION_EXAMPLES } from './ops/projection.examples.js';
import { WEBHOOK_ENDPOINT_EXAMPLES } from './ops/webhook-endpoints.schemas.js';
import { PLAN_CHANGE_EXAMPLES } from './plans/plan-change.schemas.js';
import { PLANS_EXAMPLES } from './plans/plans.schemas.js';
import { PORTAL_EXAMPLES } from './portal/portal.schemas.js';
import { REVOCATIONS_EXAMPLES } from './revocations/revocations.schemas.js';
import { TOKEN_EXAMPLES } from './tokens/tokens.schemas.js';

type Examples<Name extends keyof typeof NAMED> = { readonly [N in Name]: z.input<(typeof NAMED)[N]> };

const AT = '2026-11-01T09:30:02.000Z';
const SNAPSHOT = {
  userId: 'user_42',
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export', 'reports'],
  limits: { members: 500 },
  subscriptionActive: true,
  expiresAt: '2026-12-01T00:00:00.000Z',
  cancelAt: null,
  pendingPayment: null,
  source: { type: 'subscription', subscriptionId: 'sub_Lark', customerId: 'cus_Lark' },
  unmappedPrices: [],
  validUntil: null,
  revocationVersion: 3,
  position: '1842',
  changedAt: AT,
} as const;
const DELIVERY = {
  number: 12,
  at: AT,
  eventId: 'evt_Lark',
  type: 'customer.subscription.created',
  outcome: 'applied',
  detail: null,
  event: 'SubscriptionActivated',
  position: '1842',
  milliseconds: 4.2,
  requestId: 'b7c1f3d2a9e84f60',
} as const;
const SCHEDULED = { plan: 'free', interval: null, at: '2026-12-01T00:00:00.000Z' };
const PENDING = {
  plan: 'pro',
  price: 'price_pro',
  since: AT,
  invoice: 'in_Lark',
  reason: 'invoice_open',
} as const;
const FAULT = {
  position: '1900',
  type: 'SubscriptionRenewed',
  code: 'projector_failed',
  message: 'no such plan',
};

const REASON = {
  of: 'plan',
  code: 'only_plan',
  words: 'The plan is plus, of the subscription sub_Lark, which alone gives one.',
  facts: { plan: 'plus', role: 'paid', subscription: 'sub_Lark' },
  events: [
    {
      id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
      type: 'SubscriptionActivated',
      stripeEventId: 'evt_Lark',
      position: '1842',
    },
  ],
};

/** A body of each schema that has a name in the OpenAPI document. */
export const EXAMPLES: Examples<keyof typeof NAMED> = {
  ...PROJECTION_EXAMPLES,
  ...WEBHOOK_ENDPOINT_EXAMPLES,
  ...GRANTS_EXAMPLES,
  ...PLANS_EXAMPLES,
  ...PLAN_CHANGE_EXAMPLES,
  ...PORTAL_EXAMPLES,
  ...TOKEN_EXAMPLES,
  ...AUTHZEN_EXAMPLES,
  ...OFREP_EXAMPLES,
  ...CHECKOUT_EXAMPLES,
  ...AUDIT_EXAMPLES,
  ErasedEntry: { userId: 'user_43', code: 'user_erased' },
  Snapshot: { ...SNAPSHOT, scheduledChange: SCHEDULED, features: [...SNAPSHOT.features], unmappedPrices: [] },
  AnySnapshot: {
    ...SNAPSHOT,
    scheduledChange: null,
    features: [...SNAPSHOT.features],
    unmappedPrices: [],
    reasons: [REASON],
  },
  AsOfSnapshot: {
    ...SNAPSHOT,
    features: [...SNAPSHOT.features],
    unmappedPrices: [],
    revocationVersion: null,
    position: '1849',
    changedAt: null,
    asOf: { at: '2026-11-05T00:00:00.000Z', knownAt: '2026-11-07T12:00:00.000Z', since: AT },
  },
  Reason: REASON,
  BatchRequest: { userIds: ['user_42'] },
  Batch: {
    position: '1850',
    entitlements: [
      { ...SNAPSHOT, scheduledChange: null, features: [...SNAPSHOT.features], unmappedPrices: [] },
    ],
  },
  Feature: { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500, used: 12, remaining: 488 },
  UsageRequest: { value: 480 },
  LinkRequest: { userId: 'user_42', reason: 'bought before signing up' },
  LinksRequest: { links: [{ customerId: 'cus_Lark', userId: 'user_42' }] },
  Recorded: { outcome: 'applied', event: 'CustomerLinked', position: '1842' },
  Links: {
    results: [{ customerId: 'cus_Lark', outcome: 'applied', event: 'CustomerLinked', position: '1842' }],
  },
  ErasedClaims: {
    items: [
      {
        object: 'sub_Lark',
        times: 2,
        firstAt: '2026-11-01T09:30:02.000Z',
        lastAt: '2026-11-08T09:30:02.000Z',
      },
    ],
    next: null,
    userIds: 'pseudonyms',
  },
  MissingPseudonyms: {
    items: [{ pseudonym: 'psn_4f0c1c2e5b0f4e5a9c390d5e3a6f7b21' }],
    next: null,
    userIds: 'pseudonyms',
  },
  Unlinked: { items: [{ kind: 'subscription', id: 'sub_Lark', customer: 'cus_Lark' }], next: null },
  Conflicts: {
    items: [
      {
        kind: 'customer',
        id: 'cus_Lark',
        owner: 'user_42',
        claims: [{ userId: 'user_43', eventId: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10' }],
      },
    ],
    next: null,
  },
  UnmappedPrices: {
    items: [{ price: 'price_old', users: 2, adopted: { users: 1, plans: ['plus'] }, example: 'user_42' }],
    next: null,
  },
  PendingPayments: { items: [{ ...PENDING, userId: 'user_42' }], next: null },
  UnjoinedPayments: {
    items: [
      {
        payment: 'pi_Wren',
        charges: ['ch_Wren'],
        since: AT,
        disputes: [{ dispute: 'du_Wren', status: 'needs_response', amount: 1000, currency: 'usd' }],
        refunded: null,
      },
    ],
    next: null,
  },
  FraudWarnings: {
    items: [
      {
        payment: 'pi_Lark',
        warning: 'issfr_Lark',
        fraudType: 'made_with_stolen_card',
        charge: 'ch_Lark',
        at: AT,
        invoices: ['in_Lark'],
        users: ['user_42'],
      },
    ],
    next: null,
  },
  Faults: {
    items: [
      {
        kind: 'stream',
        id: 'tenure.subscription-sub_Lark',
        ...FAULT,
        since: AT,
        waiting: 2,
        users: ['user_42'],
      },
    ],
    next: null,
  },
  SetAside: { streams: 0, users: 0 },
  Live: { status: 'live', version: VERSION },
  Readiness: {
    status: 'ready',
    version: VERSION,
    problems: [],
    eventStore: 'eventstoredb',
    projection: {
      state: 'leading',
      position: '1842',
      head: '1842',
      lagEvents: 0,
      lagSeconds: 0,
      fault: null,
      setAside: { streams: 0, users: 0 },
    },
  },
  Users: {
    items: [
      {
        userId: 'user_42',
        role: 'paid',
        plan: 'plus',
        status: 'active',
        subscriptionActive: true,
        expiresAt: SNAPSHOT.expiresAt,
        cancelAt: null,
        validUntil: null,
        revocationVersion: 3,
        changedAt: AT,
      },
    ],
    next: null,
  },
  ...REVOCATIONS_EXAMPLES,
  ImportRequest: { dryRun: true, links: [{ customer: 'cus_Lark', userId: 'user_42' }] },
  Import: { ...IMPORTING, phase: 'done', finishedAt: AT, recorded: 3, secondsLeft: null },
  ReconciliationRequest: { dryRun: true, gone: 'list' },
  Reconciliation: {
    ...RECONCILING,
    phase: 'done',
    finishedAt: AT,
    subscriptions: 57,
    report: {
      missedEvents: {
        count: 1,
        first: [{ event: 'evt_Lark', type: 'customer.subscription.updated', created: 1_790_000_000 }],
      },
      unusableEvents: { count: 0, first: [] },
      unusableObjects: { count: 0, first: [] },
      differences: { count: 1, first: [{ kind: 'subscription', id: 'sub_Lark' }] },
      gone: { count: 0, first: [] },
    },
  },
  Delivery: DELIVERY,
  Deliveries: { deliveries: [DELIVERY] },
  Receipt: { received: true, outcome: 'applied', event: 'SubscriptionActivated', position: '1842' },
};
