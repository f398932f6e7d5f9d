import { FakeTenure, KEY } from '../../test/fake-tenure.js';
import { ManualClock } from '../../test/manual-clock.js';
import { until } from '../../test/until.js';
import { createGuard, type Guard } from './guard.js';

const START = Date.parse('2026-11-29T12:00:00Z');
const PAID = { role: 'paid' };

let tenure: FakeTenure;
let clock: ManualClock;
let guard: Guard;

beforeEach(async () => {
  tenure = await FakeTenure.start();
  clock = new ManualClock(START);
  tenure.nowMs = () => clock.now().wall;
  guard = createGuard({ url: tenure.url, key: KEY, clock, follow: 'checks' });
});
afterEach(async () => {
  guard.close();
  await tenure.close();
});

const issued = (): number => tenure.timesAsked('/v1/users/u1/token');

describe('A guard, of a user whom the application knows', () => {
  it('gets one token for all that ask at once, and keeps it until shortly before its end', async () => {
    const decisions = await Promise.all([1, 2, 3].map(() => guard.decideForUser('u1', PAID)));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true]);
    clock.advance(269_000);
    await guard.decideForUser('u1', PAID);
    expect(issued()).toBe(1);
    clock.advance(2_000);
    await guard.decideForUser('u1', PAID);
    expect(issued()).toBe(2);
  });

  it('gets a new one once the feed tells that it is stale', async () => {
    await guard.decideForUser('u1', PAID);
    tenure.revoke('u1', 2);
    clock.advance(5_001);
    expect(await guard.decideForUser('u1', PAID)).toMatchObject({ allowed: true, claims: { ver: 2 } });
    expect(issued()).toBe(2);
  });

  it('goes on with one that still holds while Tenure gives none, and refuses after that', async () => {
    await guard.decideForUser('u1', PAID);
    tenure.moods.tokens = 'cut';
    clock.advance(280_000);
    expect(await guard.decideForUser('u1', PAID)).toMatchObject({ allowed: true });
    clock.advance(20_000);
    expect(await guard.decideForUser('u1', PAID)).toMatchObject({
      allowed: false,
      reason: 'token_unissued',
    });
    tenure.moods.tokens = 'well';
    await until('it is let through', async () => (await guard.decideForUser('u1', PAID)).allowed);
  });
});
