import type { Entitlement } from '../../policy/entitlement.js';
import type { Endpoint } from './endpoint.js';
import { wants } from './endpoint.js';
import { bodyOf, keptMessage } from './envelope.js';
import { type Message, messagesOf, typesOf } from './messages.js';

const FREE: Entitlement = {
  role: 'free',
  plan: 'free',
  status: 'none',
  features: [],
  limits: {},
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
};
const PLUS: Entitlement = {
  ...FREE,
  role: 'paid',
  plan: 'plus',
  status: 'active',
  source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
};
const PENDING = {
  plan: 'pro',
  price: 'pro_m',
  since: '2026-11-01T00:00:00.000Z',
  invoice: null,
  reason: 'no_invoice',
} as const;

describe('A change of what is served', () => {
  it.each<[string, Entitlement, Entitlement, readonly string[]]>([
    ['nothing', PLUS, { ...PLUS, expiresAt: '2027-01-01T00:00:00.000Z' }, []],
    ['a purchase', FREE, PLUS, ['access.changed', 'plan.changed']],
    [
      'the end of one',
      PLUS,
      { ...FREE, status: 'canceled' },
      ['access.changed', 'plan.changed', 'access.ended'],
    ],
    ['a feature more', PLUS, { ...PLUS, features: ['x'] }, ['access.changed']],
    ['a failed renewal', PLUS, { ...PLUS, status: 'past_due' }, ['access.changed', 'payment.past_due']],
    ['its recovery', { ...PLUS, status: 'past_due' }, PLUS, ['access.changed']],
    ['an upgrade that is not paid', PLUS, { ...PLUS, pendingPayment: PENDING }, ['upgrade.pending']],
    [
      'the same with another invoice',
      { ...PLUS, pendingPayment: PENDING },
      { ...PLUS, pendingPayment: { ...PENDING, invoice: 'in_1' } },
      [],
    ],
    [
      'a cancellation to come',
      PLUS,
      { ...PLUS, cancelAt: '2027-01-01T00:00:00.000Z' },
      ['cancellation.scheduled'],
    ],
    ['its withdrawal', { ...PLUS, cancelAt: '2027-01-01T00:00:00.000Z' }, PLUS, ['cancellation.withdrawn']],
    [
      'its coming true',
      { ...PLUS, cancelAt: '2027-01-01T00:00:00.000Z' },
      FREE,
      ['access.changed', 'plan.changed', 'access.ended'],
    ],
  ])('by %s is told as it should be', (_, before, after, expected) => {
    expect(typesOf(before, after)).toEqual(expected);
  });
});

function message(more: Partial<Message> = {}): Message {
  const change = {
    id: '7.0',
    userId: 'ann',
    at: 1_000,
    cause: { kind: 'time', at: 1_000 },
    before: PLUS,
    after: { userId: 'ann', ...FREE, revocationVersion: 3, position: '9', changedAt: null },
  } as const;
  const [first] = messagesOf(change, [], () => 'stripe');
  if (first === undefined) throw new Error('a change has a message');
  return { ...first, ...more };
}

describe('A message', () => {
  it('has the same id whenever it is made, and another for each type and user', () => {
    expect(message().id).toBe(message().id);
    expect(message().id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is a CloudEvent with cause, position, version and the snapshot of then', () => {
    const kept = keptMessage(message(), '/tenure');
    const body = JSON.parse(bodyOf(kept, { gapAfter: null, replayed: false }));
    expect(body).toMatchObject({
      specversion: '1.0',
      source: '/tenure',
      type: 'access.changed',
      subject: 'ann',
      time: '1970-01-01T00:00:01.000Z',
      datacontenttype: 'application/json',
      data: {
        userId: 'ann',
        cause: { kind: 'time' },
        position: '9',
        version: 3,
        before: { plan: 'plus' },
        snapshot: { plan: 'free', revocationVersion: 3 },
      },
    });
    expect(body.data).not.toHaveProperty('gapAfter');
    expect(JSON.parse(bodyOf(kept, { gapAfter: 'm', replayed: true })).data).toMatchObject({
      gapAfter: 'm',
      replayed: true,
    });
  });

  it('about an event that this code cannot read tells when the change came, and its position', () => {
    const [told] = messagesOf(
      {
        id: '7.0',
        userId: 'ann',
        at: 1_000,
        cause: { kind: 'event', position: '9', event: null },
        before: PLUS,
        after: { userId: 'ann', ...FREE, revocationVersion: 3, position: '9', changedAt: null },
      },
      [],
      () => 'stripe',
    );
    expect(told?.cause).toMatchObject({ kind: 'event', at: '1970-01-01T00:00:01.000Z', position: '9' });
  });

  it.each<[string, Partial<Endpoint>, Partial<Message>, boolean]>([
    ['that asks for all', {}, {}, true],
    ['that asks for its type', { types: ['access.changed'] }, {}, true],
    ['that asks for others', { types: ['trial.ending'] }, {}, false],
    ['that came later', { createdAt: new Date(1_001) }, {}, false],
    ['of an import', {}, { trigger: 'import' }, false],
    ['of an import, which it asks for', { bulk: ['import'] }, { trigger: 'import' }, true],
    ['of a publication', { bulk: ['import'] }, { trigger: 'publication' }, false],
    ['of a repair', {}, { trigger: 'repair' }, true],
    ['by time alone', {}, { trigger: 'clock' }, true],
  ])('goes or does not go to an endpoint %s', (_, endpoint, told, expected) => {
    const any: Endpoint = {
      id: 'whe_1',
      url: 'https://example.com/',
      description: '',
      types: null,
      bulk: [],
      state: 'active',
      createdAt: new Date(0),
      rotatedUntil: null,
    };
    expect(wants({ ...any, ...endpoint }, message(told))).toBe(expected);
  });
});
