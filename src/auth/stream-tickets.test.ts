import { StreamTickets } from './stream-tickets.js';

const NOON = Date.UTC(2026, 10, 29, 12);
const HOUR = 3_600_000;

describe('A ticket of a stream', () => {
  let now = NOON;
  const tickets = new StreamTickets(['first-admin-key', 'second-admin-key'], () => now);
  beforeEach(() => {
    now = NOON;
  });

  it('is of its user, and ends with the token it was made from', () => {
    const ticket = tickets.issue('ann ü/1', NOON + 60_000);
    const holder = { kind: 'user', actor: 'user:ann ü/1', userId: 'ann ü/1', expiresAt: NOON + 60_000 };
    expect(tickets.holder(ticket)).toEqual(holder);
    now += 59_999;
    expect(tickets.holder(ticket)).toEqual(holder);
    now += 1;
    expect(tickets.holder(ticket)).toBeNull();
  });

  it('is the same text for an hour, and holds until the end of the next', () => {
    const ticket = tickets.issue('ann', NOON + 48 * HOUR);
    now += HOUR - 1;
    expect(tickets.issue('ann', NOON + 48 * HOUR)).toBe(ticket);
    now += 1;
    expect(tickets.issue('ann', NOON + 48 * HOUR)).not.toBe(ticket);
    now += HOUR - 1;
    expect(tickets.holder(ticket)).toMatchObject({ userId: 'ann' });
    now += 1;
    expect(tickets.holder(ticket)).toBeNull();
  });

  it('counts as long as the admin key that signed it, and nothing in it can be another', () => {
    const ticket = new StreamTickets(['second-admin-key'], () => now).issue('ann', NOON + HOUR);
    expect(tickets.holder(ticket)).toMatchObject({ userId: 'ann' });
    expect(new StreamTickets(['first-admin-key'], () => now).holder(ticket)).toBeNull();
    const [user, end, signature] = ticket.split('.');
    const bob = Buffer.from('bob').toString('base64url');
    for (const forged of [
      '',
      'x',
      `${bob}.${end}.${signature}`,
      `${user}.zzzzzzz.${signature}`,
      `${user}.${end}.${'A'.repeat(43)}`,
      `${ticket}x`,
      `${'A'.repeat(3_000)}.${end}.${signature}`,
    ]) {
      expect(tickets.holder(forged)).toBeNull();
    }
  });
});
