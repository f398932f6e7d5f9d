import type { EventEnvelope } from './event-envelope.js';
import { ALWAYS, happenedAt, timeOf } from './two-clocks.js';

const RECORDED = Date.parse('2026-11-03T10:00:00.500Z');

function event(type: string, data: object, stripeCreated: number | null = null): EventEnvelope {
  const metadata = { recordedAt: new Date(RECORDED).toISOString(), stripeCreated };
  return { type, data, metadata } as unknown as EventEnvelope;
}

describe('When an event happened', () => {
  const second = RECORDED / 1_000 - 0.5;
  it.each<[string, EventEnvelope, number, number]>([
    [
      'delivered by Stripe: at its second',
      event('SubscriptionUpdated', {}, second - 60),
      RECORDED,
      (second - 60) * 1_000,
    ],
    [
      'asked of Stripe: at the second of the answer',
      event('SubscriptionRetrieved', {}, second),
      RECORDED,
      second * 1_000,
    ],
    [
      'of a second to come: when it was known',
      event('SubscriptionPaid', {}, second + 60),
      RECORDED,
      RECORDED,
    ],
    [
      'known later than recorded: its second still',
      event('SubscriptionPaid', {}, second + 60),
      RECORDED + 90_000,
      (second + 60) * 1_000,
    ],
    ['published: when it was recorded', event('PlanCatalogPublished', {}), RECORDED + 5, RECORDED],
    [
      'a grant: at its start',
      event('GrantIssued', { startsAt: '2026-10-01T00:00:00.000Z' }),
      RECORDED,
      Date.parse('2026-10-01T00:00:00.000Z'),
    ],
    [
      'a grant that starts later: when it was known',
      event('GrantIssued', { startsAt: '2026-12-01T00:00:00.000Z' }),
      RECORDED + 5,
      RECORDED + 5,
    ],
    [
      'a grant without a start: when it was recorded',
      event('GrantIssued', { startsAt: null }),
      RECORDED,
      RECORDED,
    ],
    ['a revocation: when it was recorded', event('GrantRevoked', {}), RECORDED + 5, RECORDED],
    ['an override: when it was recorded', event('OverrideSet', {}), RECORDED + 5, RECORDED],
    ['a link: always', event('CustomerLinked', {}), RECORDED, ALWAYS],
    ['the removal of one: always', event('SubscriptionUnlinked', {}), RECORDED, ALWAYS],
  ])('is, %s', (_, told, knownFrom, expected) => {
    expect(happenedAt(told, knownFrom)).toBe(expected);
  });

  it('is another thing than the time it brings, which of a deadline is its instant', () => {
    const at = '2026-11-03T09:00:00.000Z';
    expect(timeOf(event('AccessDeadlineReached', { userId: 'ann', at }))).toBe(Date.parse(at));
    expect(timeOf(event('SubscriptionUpdated', {}, 1))).toBe(RECORDED);
  });
});
