import type { Entitlement, Successor } from '../../policy/entitlement.js';
import { advance, type JudgedUnder } from './advance.js';
import { defaultUserRow, entitlementSchema, type UserRow } from './user-row.js';

const FREE: Entitlement = {
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
const PAID: Entitlement = {
  ...FREE,
  role: 'paid',
  plan: 'plus',
  status: 'active',
  features: ['export', 'reports'],
  limits: { members: 500 },
  subscriptionActive: true,
  expiresAt: '2026-12-01T00:00:00.000Z',
};

function under(position: string, now: number): JudgedUnder {
  const cause = { eventId: `event ${position}`, eventType: 'SubscriptionUpdated', position };
  return { ...cause, catalog: '1', now, lateAt: null };
}

/** The row after one event that judged `entitlement`, and what was added to the history. */
function move(row: UserRow, entitlement: Entitlement, at: number, successors: readonly Successor[] = []) {
  return advance(row, { entitlement, successors, adoptedPrices: [] }, under(String(at), at));
}

const paid = move(defaultUserRow('u', FREE), PAID, 1_000).row;

describe("the version's counter", () => {
  it('is 0 for a user without a row, and stays while the default plan is all there is', () => {
    const { row, history } = move(defaultUserRow('u', FREE), FREE, 1_000);
    expect(row).toEqual({ ...defaultUserRow('u', FREE), catalog: '1' });
    expect(history).toEqual([]);
  });

  it.each<[string, Partial<Entitlement>]>([
    ['role', { role: 'staff' }],
    ['plan', { plan: 'pro' }],
    ['status', { status: 'past_due' }],
    ['features', { features: ['reports'] }],
    ['a limit', { limits: { members: 501 } }],
    ['several at once', { role: 'free', plan: 'free', status: 'canceled', features: [], limits: {} }],
  ])('grows by one when it is another %s', (_, change) => {
    const { row, history } = move(paid, { ...PAID, ...change }, 2_000);
    expect(row).toMatchObject({ counter: 2, position: '2000', changedAt: 2_000, historySeq: 2 });
    expect(history).toEqual([
      {
        userId: 'u',
        seq: 2,
        validFrom: 2_000,
        cause: { kind: 'event', eventId: 'event 2000', eventType: 'SubscriptionUpdated', position: '2000' },
        counter: 2,
        raised: true,
        lateAt: null,
        entitlement: { ...PAID, ...change },
      },
    ]);
  });

  it.each<[string, Partial<Entitlement>]>([
    ['a renewal moves the end', { expiresAt: '2027-01-01T00:00:00.000Z' }],
    ['it ends later', { cancelAt: '2026-12-01T00:00:00.000Z', validUntil: '2026-12-01T00:00:00.000Z' }],
    [
      'an upgrade waits',
      { pendingPayment: { plan: 'pro', price: 'p', since: 's', invoice: null, reason: 'no_invoice' } },
    ],
    [
      'another subscription gives it',
      { source: { type: 'subscription', subscriptionId: 'sub_2', customerId: null } },
    ],
    ['a price is unmapped', { unmappedPrices: ['price_x'] }],
  ])('stays when only %s, which the history tells', (_, change) => {
    const { row, history } = move(paid, { ...PAID, ...change }, 2_000);
    expect(row).toMatchObject({ counter: 1, position: '2000', changedAt: 2_000, historySeq: 2 });
    expect(history).toEqual([expect.objectContaining({ seq: 2, counter: 1, raised: false })]);
  });

  it('stays, and so does the row, when nothing is another', () => {
    const { row, history } = move(paid, { ...PAID, limits: { ...PAID.limits } }, 2_000);
    expect(row).toEqual(paid);
    expect(history).toEqual([]);
  });
});

describe('what follows by time alone', () => {
  const late: Entitlement = { ...PAID, status: 'past_due' };
  const over: Entitlement = { ...FREE, status: 'canceled' };
  const successors = [
    { at: 5_000, entitlement: late },
    { at: 6_000, entitlement: { ...late, expiresAt: null } },
    { at: 7_000, entitlement: over },
  ];
  const waiting = move(paid, PAID, 2_000, successors).row;

  it('is stored with the counters that it will have', () => {
    expect(waiting.successors.map(({ at, counter }) => [at, counter])).toEqual([
      [5_000, 2],
      [6_000, 2],
      [7_000, 3],
    ]);
    expect(waiting).toMatchObject({ counter: 1, changedAt: 1_000, entitlement: PAID });
  });

  it('is not written before its time', () => {
    const { row, history } = move(waiting, PAID, 4_999, successors);
    expect(history).toEqual([]);
    expect(row).toEqual(waiting);
  });

  it("is written first when due, each with a row and a version of its own, and then the event's", () => {
    const back: Entitlement = { ...PAID, plan: 'pro' };
    const { row, history } = move(waiting, back, 7_000);
    expect(
      history.map(({ seq, validFrom, cause, counter, entitlement }) => [
        seq,
        validFrom,
        cause.kind,
        counter,
        entitlement,
      ]),
    ).toEqual([
      [2, 5_000, 'time', 2, late],
      [3, 6_000, 'time', 2, { ...late, expiresAt: null }],
      [4, 7_000, 'time', 3, over],
      [5, 7_000, 'event', 4, back],
    ]);
    expect(row).toMatchObject({
      counter: 4,
      position: '7000',
      changedAt: 7_000,
      historySeq: 5,
      successors: [],
    });
  });

  it('keeps the position of the event before when the event itself changes nothing', () => {
    const { row, history } = move(waiting, { ...late, expiresAt: null }, 6_500, successors.slice(2));
    expect(history.map(({ cause }) => cause.kind)).toEqual(['time', 'time']);
    expect(row).toMatchObject({ counter: 2, position: '1000', changedAt: 6_000 });
    expect(row.successors.map(({ counter }) => counter)).toEqual([3]);
  });
});

describe('a pending payment that code before reasons wrote', () => {
  it.each([
    ['in_1', 'invoice_open'],
    [null, 'no_invoice'],
  ])('with invoice %s is read with the reason %s', (invoice, reason) => {
    const pending = { plan: 'pro', price: 'p', since: 's', invoice };
    const read = entitlementSchema.parse({ ...PAID, pendingPayment: pending });
    expect(read.pendingPayment).toEqual({ ...pending, reason });
    expect(entitlementSchema.parse(read)).toEqual(read);
  });
});
