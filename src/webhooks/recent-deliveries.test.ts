import { REMEMBERED_DELIVERIES, RecentDeliveries } from './recent-deliveries.js';

const delivery = {
  at: '2026-11-29T12:00:00.000Z',
  eventId: 'evt_1',
  type: 'invoice.paid',
  outcome: 'applied',
  detail: null,
  event: 'SubscriptionPaid',
  position: '7',
  milliseconds: 3.2,
  requestId: 'r1',
} as const;
const numbers = (recent: RecentDeliveries, after: number): number[] =>
  recent.after(after).map(({ number }) => number);

describe('The recent deliveries of an instance', () => {
  it('are numbered from one on and told from any number on', () => {
    const recent = new RecentDeliveries();
    for (let i = 0; i < 3; i += 1) recent.note(delivery);
    expect(numbers(recent, 0)).toEqual([1, 2, 3]);
    expect(numbers(recent, 2)).toEqual([3]);
    expect(numbers(recent, 3)).toEqual([]);
  });

  it('are the last 500', () => {
    const recent = new RecentDeliveries();
    for (let i = 0; i < REMEMBERED_DELIVERIES + 2; i += 1) recent.note(delivery);
    expect(numbers(recent, 0)).toHaveLength(REMEMBERED_DELIVERIES);
    expect(numbers(recent, 0)[0]).toBe(3);
    expect(numbers(recent, 500)).toEqual([501, 502]);
  });

  it('wake whoever waits for the next one, and let go of who leaves', async () => {
    const recent = new RecentDeliveries();
    const leaves = new AbortController();
    const woken = recent.next(0, new AbortController().signal);
    const left = recent.next(1, leaves.signal);
    recent.note(delivery);
    await woken;
    leaves.abort();
    await left;
    expect(numbers(recent, 0)).toEqual([1]);
  });
});
