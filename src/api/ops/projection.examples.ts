import type { z } from 'zod';
import type * as schemas from './projection.schemas.js';

const STARTED_AT = '2026-11-02T10:00:00.000Z';
const ENDED_AT = '2026-11-02T10:04:10.000Z';
const REASON = 'plus now has export';
const NOTHING_ASIDE = { streams: 0, users: 0 };

const before = {
  role: 'paid',
  plan: 'plus',
  status: 'active' as const,
  features: ['reports'],
  limits: { members: 500 },
  subscriptionActive: true,
  expiresAt: '2026-12-01T00:00:00.000Z',
  cancelAt: null,
  pendingPayment: null,
  source: { type: 'subscription' as const, subscriptionId: 'sub_Lark', customerId: 'cus_Lark' },
  unmappedPrices: [],
  validUntil: null,
};
const changes = {
  changed: 1,
  detailsOnly: 0,
  byKind: { role: 0, plan: 0, status: 0, features: 1, limits: 0 },
  first: [
    {
      userId: 'user_42',
      kinds: ['features' as const],
      before,
      after: { ...before, features: ['export', 'reports'] },
      versionBefore: 3,
      versionAfter: 4,
    },
  ],
};
const fold = { builtBy: '14', foldedBy: '14', mixedAfter: null, setAside: NOTHING_ASIDE };
const comparison: z.input<typeof schemas.comparisonResponse> = {
  at: ENDED_AT,
  position: '1842',
  from: { generation: 2, ...fold, builtBy: '13', foldedBy: '13' },
  to: { generation: 3, ...fold },
  ...changes,
  defaultChanged: false,
  mixed: null,
};
const swap: z.input<typeof schemas.swapResponse> = { ...comparison, swap: 2, kind: 'swap' };
const projection: z.input<typeof schemas.projectionResponse> = {
  name: 'entitlements',
  state: 'leading',
  generation: 3,
  handled: '1842',
  scanned: '1842',
  head: '1842',
  lagEvents: 0,
  lagSeconds: 0,
  fault: null,
  setAside: NOTHING_ASIDE,
  publications: [],
  generations: [
    {
      generation: 3,
      role: 'live',
      startedBy: 'ada',
      reason: REASON,
      startedAt: STARTED_AT,
      afterwards: 'swap',
      fold: { handled: '1842', events: 1_840, ...fold, fault: null },
    },
  ],
  swaps: [
    {
      swap: 2,
      kind: 'swap',
      from: 2,
      to: 3,
      position: '1842',
      fromCode: '13',
      toCode: '14',
      usersChanged: 1,
      actor: 'ada',
      reason: REASON,
      at: ENDED_AT,
    },
  ],
};

/** A rebuild while it folds. */
export const REBUILDING: z.input<typeof schemas.rebuildResponse> = {
  generation: 3,
  phase: 'building',
  afterwards: 'swap',
  actor: 'ada',
  reason: REASON,
  startedAt: STARTED_AT,
  finishedAt: null,
  builtBy: '14',
  handled: '1200',
  live: '1842',
  events: 1_200,
  eventsPerSecond: 4_000,
  secondsLeft: 1,
  report: null,
  failure: null,
};

/** A body of each schema of what ops ask of the projections, by the names that the OpenAPI document gives them. */
export const PROJECTION_EXAMPLES = {
  RebuildRequest: { reason: REASON, afterwards: 'swap' as const },
  SwapRequest: { generation: 3, reason: REASON },
  RollbackRequest: { reason: 'too many lose export', dryRun: true },
  VerifyRequest: { users: 1_000 },
  ResumeRequest: { generation: 'live' as const },
  SkipRequest: { position: '1900', reason: 'sent by a test account' },
  Resumed: {
    generation: 3,
    fault: {
      position: '1900',
      type: 'SubscriptionRenewed',
      code: 'projector_failed',
      message: 'no such plan',
    },
    streams: 1,
    users: 0,
  },
  Skipped: {
    outcome: 'skipped' as const,
    position: '1900',
    skipped: {
      id: '5b9d1f0e-7c70-5a0e-9f3c-0a1b8c6d7e21',
      stream: 'tenure.subscription-sub_Lark',
      revision: 4,
      type: 'SubscriptionRenewed',
    },
    reason: 'sent by a test account',
  },
  Comparison: comparison,
  Swap: swap,
  Rollback: { ...swap, swap: 3, kind: 'rollback' as const },
  Publication: {
    at: ENDED_AT,
    position: '1842',
    generation: 3,
    hashBefore: '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',
    hashAfter: '9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0',
    judged: 1_000,
    ...changes,
    moves: [{ from: 'plus', to: 'pro', users: 1 }],
    features: [{ feature: 'export', gained: 1, lost: 0 }],
    limits: [{ limit: 'members', raised: 1, lowered: 0 }],
    defaultChanged: false,
  },
  Verification: {
    position: '1842',
    generation: 3,
    builtBy: '14',
    foldedBy: '14',
    mixedAfter: null,
    running: '14',
    users: null,
    foldedLate: { users: 0, first: [] },
    differences: 0,
    byTable: {},
    first: [],
  },
  Rebuild: {
    ...REBUILDING,
    phase: 'swapped' as const,
    finishedAt: ENDED_AT,
    handled: '1842',
    events: 1_840,
    secondsLeft: 0,
    report: swap,
  },
  Projection: projection,
  Projections: { projections: [projection] },
};
