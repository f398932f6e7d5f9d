import type { StripeEvent } from '../../demo/stripe/simulated-subscription.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import { logInEventStoreDb, wholeLog } from '../support/log.js';
import { EVENTS_OF_A_LIFE, type RecordedLife } from '../support/recorded-lives.js';
import { AUTHORIZED } from '../support/service.js';
import { signed } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { judgedFromScratch } from './support/judged-from-scratch.js';
import { KilledRebuild } from './support/killed-rebuild.js';
import { SteadyLoad } from './support/steady-load.js';
import { TwoServices } from './support/two-services.js';
import {
  accessOfOneVersionDiffers,
  few,
  type ReadTimes,
  type SeenAnswer,
  turnedBack,
  versionOf,
  versionsGoneBack,
  WatchedReads,
  type World,
} from './support/watched-reads.js';

const isSoak = process.env.REBUILD_EVENTS !== undefined;
const ASKED_FOR = Number(process.env.REBUILD_EVENTS ?? 400);
/** The EventStoreDB test server keeps its log in memory, on one core: it gets no more than this. */
const EVENTS = logInEventStoreDb() ? Math.min(ASKED_FOR, 20_000) : ASKED_FOR;
const USERS = EVENTS / EVENTS_OF_A_LIFE;
const READS_A_SECOND = isSoak ? 200 : 40;
const WEBHOOKS_A_SECOND = isSoak ? 50 : 20;
/** Every so many reads one asks for many users. */
const BATCH_EVERY = 20;
const BATCH = 20;
/** Reads before the rebuild begins and after it has ended. */
const SOME_READS = isSoak ? 300 : 60;
const OPS = { actor: 'ops', reason: 'a later policy' };

/** Every tenth user goes on by webhooks, one with each kind of life; the others stay as they are. */
function isMoving({ kind }: RecordedLife, n: number): boolean {
  return Math.floor(n / 4) % 10 === 0 && kind !== 'canceled';
}

/** They read and write while what is told below happens. */
let two: TwoServices;
beforeAll(async () => {
  two = await TwoServices.start(USERS);
}, 900_000);
afterAll(() => two.close());

describe('A rebuild under a changed access policy, swapped in while two services read and write', () => {
  const loads: SteadyLoad[] = [];
  afterAll(async () => {
    await Promise.allSettled(loads.map((load) => load.stop())); // what one rejects with, the test has said
  });

  it('fails and mixes no read, loses no event, raises exactly the changed versions, and equals a fold from scratch', async () => {
    const { urls, lives, rebuilds: generations } = two;
    const moving = lives.all.filter(isMoving);
    const still = lives.all.filter((life, n) => !isMoving(life, n));
    const changing = new Set(still.filter(({ kind }) => kind === 'plus' || kind === 'late'));
    const stillIds = still.map(({ userId }) => userId);
    const before = await snapshots(two, stillIds);

    const reads = new WatchedReads(two.storedIds);
    const reading = new SteadyLoad(READS_A_SECOND, (n) => {
      const url = urls[n % 2] ?? urls[0];
      if (n % BATCH_EVERY === 0) {
        return reads.many(
          url,
          Array.from({ length: BATCH }, (_, i) => pick(still, n + i).userId),
        );
      }
      return reads.one(url, pick(n % 4 < 2 ? still : moving, Math.floor(n / 4)).userId, Math.floor(n / 2));
    });
    const sent: StripeEvent[] = [];
    const writing = new SteadyLoad(WEBHOOKS_A_SECOND, async (n) => {
      lives.comeToNow();
      const { subscription } = pick(moving, n);
      const status = Math.floor(n / moving.length) % 2 === 0 ? 'past_due' : 'active';
      const event = subscription.becomes(status);
      const { body, signature } = signed(event.body);
      const response = await fetch(`${urls[n % 2]}/webhooks/stripe`, {
        method: 'POST',
        body,
        headers: { 'stripe-signature': signature },
      });
      expect([response.status, await response.json()]).toMatchObject([200, { outcome: 'applied' }]);
      sent.push(event);
    });

    loads.push(reading, writing);
    /** Each of the two has answered so many that were asked from now on: what is under way now may be answered as of before. */
    const enough = async (): Promise<void> => {
      const at = performance.now();
      const askedSince = (url: string) =>
        reads.answers.filter(({ instance, begun }) => instance === url && begun >= at).length;
      await until('more reads', () => urls.every((url) => askedSince(url) >= SOME_READS / 2));
    };
    await enough();
    const began = performance.now();
    const report = await generations.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    const swapped = performance.now();
    const after = await snapshots(two, stillIds);
    await enough();
    await writing.stop();
    await reading.stop();
    const ended = performance.now();

    expect(few(reads.failed)).toEqual([]);
    expect(few(reads.wrongTags)).toEqual([]);
    const worldOf = ({ userId, body }: SeenAnswer): World | null => {
      const [old, next] = [before.get(userId), after.get(userId)];
      if (old === undefined || next === undefined) return null; // one who moves on
      if (body !== old && body !== next) return 'neither';
      return old === next ? null : body === old ? 'old' : 'new';
    };
    expect(few(reads.answers.filter((answer) => worldOf(answer) === 'neither'))).toEqual([]);
    expect(few(turnedBack(reads.answers, worldOf))).toEqual([]);
    expect(few(versionsGoneBack(reads.answers))).toEqual([]);
    expect(few(accessOfOneVersionDiffers(reads.answers))).toEqual([]);
    for (const url of urls) {
      const seen = new Set(reads.answers.filter(({ instance }) => instance === url).map(worldOf));
      expect([...seen].sort()).toEqual(['new', 'old', null].sort()); // else nothing was tried
    }
    for (const life of still) {
      const [old, next] = [before.get(life.userId) ?? '', after.get(life.userId) ?? ''];
      if (changing.has(life)) expect(versionOf(next)).toBe(versionOf(old) + 1);
      else expect(next).toBe(old);
    }
    expect(report.changed).toBeGreaterThanOrEqual(changing.size);
    expect(report.changed).toBeLessThanOrEqual(changing.size + moving.length);
    expect(report.byKind).toEqual({ role: 0, plan: 0, status: 0, features: report.changed, limits: 0 });

    const logged = (await wholeLog(two.store)).map(parseEvent);
    const ids = new Set(sent.map(({ id }) => id));
    const loggedIds = logged.flatMap(({ metadata }) => metadata.stripeEventId ?? []);
    expect(loggedIds.filter((id) => ids.has(id)).sort()).toEqual([...ids].sort());
    expect(loggedIds).toHaveLength(lives.all.length * EVENTS_OF_A_LIFE + sent.length);
    const everyone = lives.all.map(({ userId }) => userId);
    const last = logged.at(-1)?.position ?? '0';
    const shown = await snapshots(two, everyone, last);
    const expected = judgedFromScratch(logged);
    const stored = (userId: string): string => two.storedIds.get(userId) ?? '';
    for (const [userId, body] of shown) {
      const {
        userId: _,
        revocationVersion,
        position,
        changedAt,
        scheduledChange,
        ...entitlement
      } = JSON.parse(body);
      expect({ userId, ...entitlement }).toEqual({ userId, ...expected.get(stored(userId)) });
    }
    await expectWholeFeed(two, shown);
    expect(await generations.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });

    const of = (world: World): readonly SeenAnswer[] =>
      reads.answers.filter((answer) => worldOf(answer) === world);
    const next = of('new').reduce((least, { ended }) => Math.min(least, ended), Number.POSITIVE_INFINITY);
    const old = of('old').reduce((most, { begun }) => Math.max(most, begun), 0);
    tell('before', reads.times(0, began));
    tell(
      `during the rebuild (${logged.length} events in ${(swapped - began).toFixed(0)} ms)`,
      reads.times(began, swapped),
    );
    tell('after', reads.times(swapped, ended));
    process.stdout.write(
      `from the first new answer to the last old one begun, of any instance: ${(old - next).toFixed(0)} ms\n`,
    );
  }, 900_000);

  const again = async (): Promise<void> => {
    const everyone = two.lives.all.map(({ userId }) => userId);
    const before = await snapshots(two, everyone);
    const report = await two.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(report).toMatchObject({ changed: 0, detailsOnly: 0, mixed: null });
    expect(await snapshots(two, everyone)).toEqual(before);
    expect(await two.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
  };
  // Held by test/projections/generations.test.ts too, of fewer users.
  if (isSoak) it('and once more by the same code: nothing changes', again, 900_000);
});

describe('A rebuild whose builder is killed', () => {
  it('is built on by the other service, also once the first is back', async () => {
    await KilledRebuild.between(two, async (rebuild) => {
      const before = await rebuild.generations();
      const { build, wall } = await rebuild.beginHeld();
      const victim = await rebuild.leader('beside');
      const other = rebuild.other(victim);
      await rebuild.isHeld(victim);
      await rebuild.without(victim, async () => {
        await rebuild.leads(other, 'beside');
        await wall.query('rollback');
        await two.rebuilds.untilCaughtUp(build, () => undefined);
      });
      await rebuild.comesBack(victim);
      expect(await two.leaderOf('beside')).toBe(other);
      await rebuild.tell(...two.urls);
      expect(await rebuild.generations()).toEqual([...before, `${build} building`]);
      await two.rebuilds.swap(build, OPS);
    });
  }, 900_000);
});

function pick<T>(all: readonly T[], n: number): T {
  const picked = all[n % all.length];
  if (picked === undefined) throw new RangeError('nothing to pick from');
  return picked;
}

/** The snapshots of users as texts, from the read models as they are now, or at a position or later. */
async function snapshots(
  { urls: [url] }: TwoServices,
  userIds: readonly string[],
  minPosition = '0',
): Promise<ReadonlyMap<string, string>> {
  const reached = `${url}/v1/users/${userIds[0]}/entitlements?minPosition=${minPosition}`;
  const shows = async (): Promise<boolean> => (await fetch(reached, { headers: AUTHORIZED })).status === 200;
  await until(`${url} shows ${minPosition}`, shows);
  const found = new Map<string, string>();
  for (let from = 0; from < userIds.length; from += 100) {
    const response = await fetch(`${url}/v1/entitlements/batch`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ userIds: userIds.slice(from, from + 100) }),
    });
    const { entitlements } = (await response.json()) as { entitlements: readonly { userId: string }[] };
    for (const snapshot of entitlements) found.set(snapshot.userId, JSON.stringify(snapshot));
  }
  expect(found.size).toBe(userIds.length);
  return found;
}

/** Every version that anyone was ever served is a line of the revocation feed, once, in order. */
async function expectWholeFeed(
  { stores, storedIds }: TwoServices,
  shown: ReadonlyMap<string, string>,
): Promise<void> {
  const { rows } = await stores.database.pool.query<{ user_id: string; versions: number[] }>(
    'select user_id, array_agg(version order by cursor) as versions from tenure.revocation_feed group by user_id',
  );
  const feed = new Map(rows.map(({ user_id, versions }) => [user_id, versions]));
  for (const [userId, body] of shown) {
    const counted = Array.from({ length: versionOf(body) }, (_, n) => n + 1);
    expect([userId, feed.get(storedIds.get(userId) ?? '')]).toEqual([userId, counted]);
  }
}

function tell(when: string, { reads, p50, p99, max }: ReadTimes): void {
  process.stdout.write(
    `${when}: ${reads} answers, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(0)} ms\n`,
  );
}
