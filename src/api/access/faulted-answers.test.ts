import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { parsePlanFile } from '../../plans/plan-file.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Decisions } from '../entitlements/entitlements.service.js';
import { decideFeature } from '../features/feature-decision.js';
import { flagOf, flagsOf } from '../ofrep/flags.js';
import { AccessCheck } from './access-check.js';
import { AuthZenService } from './authzen.service.js';

const { catalog } = parsePlanFile(
  `default: free
plans:
  free: { rank: 0, role: free, features: [reports] }
  plus: { rank: 1, role: paid, features: [reports, both], limits: { both: 5, members: 7 } }
`,
  'plans.yaml',
);
const FAULTED = { since: '2026-11-01T09:00:00.000Z', position: '9' };
const SNAPSHOT: Snapshot = {
  userId: 'u1',
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['both', 'reports'],
  limits: { both: 5, members: 7 },
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
  faulted: FAULTED,
};
const decide = (key: string, amount: number) => decideFeature(SNAPSHOT, catalog, { key, amount, used: 6 });
const decisions: Decisions = { snapshot: SNAPSHOT, catalog, decide };
const entitlements = { decisions: async () => decisions };

describe('A user of whom an event could not be applied', () => {
  it('is marked in flags, all and one', () => {
    const marked = { faulted: true, faultedSince: FAULTED.since, faultedPosition: '9' };
    expect(flagsOf(SNAPSHOT, catalog).metadata).toMatchObject(marked);
    expect(flagOf('members', decisions)?.metadata).toMatchObject({ ...marked, used: 6 });
  });

  it('is marked in evaluations, whether the answer is yes or no', async () => {
    const authzen = new AuthZenService(entitlements);
    const [subject, action] = [{ type: 'user', id: 'u1' }, { name: 'use' }];
    for (const id of ['reports', 'nothing']) {
      const request = { subject, action, resource: { type: 'feature', id } };
      expect((await authzen.evaluation(request, () => undefined)).context.faulted).toEqual(FAULTED);
    }
  });

  it('is marked to proxies, whether the answer is yes or no', async () => {
    const access = {
      recognise: async () => ({ kind: 'user' as const, actor: 'user:u1', userId: 'u1', expiresAt: Infinity }),
    };
    const check = new AccessCheck({ access, tokens: { introspect: async () => null }, entitlements });
    const ask = (url: string) => {
      const request = new IncomingMessage(new Socket());
      request.url = url;
      request.method = 'GET';
      request.headers.authorization = 'Bearer t';
      return check.answer(request);
    };
    expect((await ask('/access/v1/check?feature=reports')).headers['tenure-faulted']).toBe('9');
    for (const url of ['/access/v1/check?feature=nothing', '/access/v1/check/x']) {
      await expect(ask(url)).rejects.toMatchObject({
        code: 'access_denied',
        headers: { 'tenure-faulted': '9' },
      });
    }
  });
});

describe('A key that is feature and limit', () => {
  it('is told as the feature in flags, without the reason of the limit that says no', () => {
    expect(decide('both', 1)).toMatchObject({ allowed: false, reason: 'limit_reached' });
    expect(flagOf('both', decisions)).toMatchObject({
      value: true,
      variant: 'on',
      metadata: { plan: 'plus' },
    });
    expect(flagOf('both', decisions)?.metadata).not.toHaveProperty('reason');
  });

  it('of no plan is no flag, whatever every object inherits', () => {
    expect(flagOf('constructor', decisions)).toBeNull();
  });
});
