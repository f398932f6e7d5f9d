import { isDeepStrictEqual } from 'node:util';
import { SharedSnapshots } from '../../src/cache/shared-snapshots.js';
import type { KnownCommit } from '../../src/cache/shared-value.js';
import type { LiveCheckpoint } from '../../src/projections/engine/checkpoint.js';
import { type Served, serve } from '../../src/projections/entitlements/snapshot.js';
import { defaultUserRow, entitlementSchema } from '../../src/projections/entitlements/user-row.js';
import type { CommitId } from '../../src/projections/read-models/snapshot-cache.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const FREE = entitlementSchema.parse({
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
});

/** The snapshot of a user at a version, as the database has it. */
function snapshot(userId: string, version = 0): Served {
  return serve(defaultUserRow(userId, FREE), { faulted: null, planned: null }, version, '7', Date.now());
}

const at = (revision: number, liveEpoch = 1, event = `event-${revision}`): KnownCommit => ({
  revision,
  liveEpoch,
  event,
});

/** The live checkpoint at a commit, with what is looked at of it. */
function liveAt({ revision, liveEpoch, event }: KnownCommit): LiveCheckpoint {
  return { generation: 1, liveEpoch, checkpoint: { revision, eventId: event } } as LiveCheckpoint;
}

/** Lets nothing else of this process happen for so many milliseconds. */
function standStill(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

async function untilFound<Found extends ReadonlyMap<string, unknown>>(
  find: () => Promise<Found>,
): Promise<Found> {
  return until('it is found', async () => {
    const found = await find();
    return found.size > 0 && found;
  });
}

describe('Snapshots in Redis', () => {
  let redis: RedisServer;
  let made = 0;
  const open: SharedSnapshots[] = [];
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  afterAll(() => redis.kill());

  /** Instances of one namespace; `lead` tells Redis what a commit changed, and comes back once it is told. */
  function instances() {
    made += 1;
    const namespace = `tenure:{test-${made}}`;
    const one = () => {
      const shared = new SharedSnapshots({
        url: redis.url,
        namespace,
        onTrouble: () => undefined,
        onRead: () => undefined,
        onStatement: () => undefined,
      });
      open.push(shared);
      return shared;
    };
    const [leader, other] = [one(), one()];
    const level = () => redis.ask((client) => client.get(`${namespace}:level`));
    const lead = async (commit: KnownCommit, changed: readonly string[] | 'all', by = leader) => {
      by.changed(changed);
      by.confirmed(liveAt(commit), { moved: false, isLeading: true });
      await until('the level is told', async () =>
        (await level())?.endsWith(` ${commit.liveEpoch} ${commit.revision} ${commit.event}`),
      );
      other.confirmed(liveAt(commit), { moved: false, isLeading: false });
    };
    const find = async (known: CommitId, ...userIds: readonly string[]) => {
      const found = await other.find(userIds, () => known);
      return userIds.map((userId) => found.get(userId)?.snapshot.revocationVersion ?? null);
    };
    let offerAgain = (): void => undefined;
    /** Offers, and comes back once Redis was asked whatever was offered before. */
    const offer = async (commit: CommitId, ...served: readonly Served[]) => {
      await until('Redis is there', async () => (await level()) !== null);
      offerAgain = () => other.offer(served, commit);
      offerAgain();
      await other.find(['nobody'], () => commit);
    };
    /** Waits for what was offered last: on a busy machine an offer, or an answer to a reader, may not come in time. */
    const holds = async (known: CommitId, userId: string) =>
      until('the snapshot is shared', async () => {
        if ((await find(known, userId))[0] !== null) return true;
        offerAgain();
        return false;
      });
    const finds = async (known: CommitId, expected: Readonly<Record<string, number | null>>) =>
      until('they are found', async () => {
        const found = await find(known, ...Object.keys(expected));
        return isDeepStrictEqual(found, Object.values(expected));
      });
    return { namespace, leader, other, one, lead, find, finds, offer, holds, level };
  }

  it('are found by other instances, in the very bytes and with the end of what holds', async () => {
    const { lead, offer, finds, other, holds } = instances();
    await lead(at(5), 'all');
    const ends = { ...snapshot('u', 3), holdsUntil: 4_000_000_000_000 };
    await offer(at(5), ends, snapshot('é ü/:{}', 4));
    await holds(at(5), 'u');
    await finds(at(5), { u: 3, 'é ü/:{}': 4, v: null });
    const found = await untilFound(() => other.find(['u'], () => at(5)));
    const { userId, ...shared } = ends;
    expect(found.get('u')).toEqual(shared);
  });

  it('are not late where this process itself stood still for longer than it waits', async () => {
    const { lead, offer, other, holds } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    await until('it is found', async () => {
      const found = other.find(['u'], () => at(5));
      standStill(100);
      return (await found).size === 1;
    });
  });

  it('are not used by who knows of a later commit, or of another generation, than Redis was told', async () => {
    const { lead, offer, find, finds, holds } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    await finds(at(4), { u: 3 });
    expect(await find(at(6), 'u')).toEqual([null]);
    expect(await find(at(5, 2), 'u')).toEqual([null]);
    expect(await find(at(5, 0), 'u')).toEqual([null]);
    await lead(at(6), ['v']);
    await finds(at(6), { u: 3 });
  });

  it('are taken out when they change, and everyone’s where it is not known whose', async () => {
    const { lead, offer, find, finds, holds } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3), snapshot('v', 1));
    await holds(at(5), 'v');
    await lead(at(6), ['u']);
    await finds(at(6), { u: null, v: 1 });
    await lead(at(7), 'all');
    expect(await find(at(7), 'u', 'v')).toEqual([null, null]);
    await offer(at(7), snapshot('v', 2));
    await holds(at(7), 'v');
    await lead(at(1, 2), []);
    expect(await find(at(1, 2), 'v')).toEqual([null]);
  });

  it('that were read before a change that Redis was told of are refused, however late they come', async () => {
    const { lead, offer, find, holds } = instances();
    await lead(at(5), 'all');
    await lead(at(6), ['u']);
    await offer(at(5), snapshot('u', 3));
    await offer(at(6), snapshot('v', 1));
    await holds(at(6), 'v');
    expect(await find(at(5), 'u')).toEqual([null]);
  });

  it('never go back: of two that may be kept the later stays, in whichever order they come', async () => {
    const { lead, offer, find, finds, holds } = instances();
    await lead(at(5), 'all');
    await offer(at(7), snapshot('u', 9));
    await holds(at(5), 'u');
    await offer(at(6), snapshot('u', 8), snapshot('v', 1));
    await holds(at(5), 'v');
    await finds(at(5), { u: 9 });
    await offer(at(8), snapshot('u', 10));
    await until('the later one is shared', async () => (await find(at(5), 'u'))[0] === 10);
  });

  it('outlive a change of the leader where nothing was missed, and else do not', async () => {
    const { lead, offer, find, finds, holds, one } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    const next = one();
    next.confirmed(liveAt(at(5)), { moved: true, isLeading: false });
    await until('the next leader is connected', async () => (await next.find(['u'], () => at(5))).size === 1);
    await lead(at(5), 'all', next);
    await finds(at(5), { u: 3 });
    await lead(at(7), 'all', one());
    expect(await find(at(7), 'u')).toEqual([null]);
  });

  it('of a database that went back count no more', async () => {
    const { lead, offer, find, holds, one } = instances();
    await lead(at(500), 'all');
    await offer(at(500), snapshot('u', 3));
    await holds(at(300), 'u');
    await lead(at(300), 'all', one());
    expect(await find(at(300), 'u')).toEqual([null]);
  });

  it('of the future are not used where the database was put back from an old copy, not even before a leader has told of it', async () => {
    const { lead, offer, find, finds, holds, one, other, leader } = instances();
    const moved = { moved: true, isLeading: false };
    await lead(at(90), 'all');
    await lead(at(100), ['u']);
    await offer(at(100), snapshot('u', 3));
    await holds(at(100), 'u');
    leader.confirmed(liveAt(at(90)), moved);
    other.confirmed(liveAt(at(90)), moved);
    expect(await find(at(90), 'u')).toEqual([null]);
    other.confirmed(liveAt(at(100, 1, 'another')), { ...moved, moved: false });
    expect(await find(at(100), 'u')).toEqual([null]);
    await lead(at(100, 1, 'another'), 'all', one());
    expect(await find(at(100), 'u')).toEqual([null]);
    await offer(at(100), snapshot('u', 2));
    await finds(at(100), { u: 2 });
  });

  it('that Redis knows more of than an instance are used once it has met the level at its own checkpoint', async () => {
    const { lead, offer, finds, holds, one } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    const behind = one();
    behind.confirmed(liveAt(at(4)), { moved: true, isLeading: false });
    await finds(at(5), { u: 3 }); // Redis answers, and to one who waits the level is ahead
    expect((await behind.find(['u'], () => at(4))).size).toBe(0);
    behind.confirmed(liveAt(at(5)), { moved: false, isLeading: false });
    await untilFound(() => behind.find(['u'], () => at(5)));
    await lead(at(6), ['v']);
    await untilFound(() => behind.find(['u'], () => at(5)));
  });

  it('that others wrote, or of another epoch or user, are not there', async () => {
    const { lead, offer, finds, holds, namespace } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    const key = (userId: string) => `${namespace}:user:${userId}`;
    await redis.ask(async (client) => {
      const mine = (await client.get(key('u'))) ?? '';
      await client.set(key('v'), mine);
      await client.set(key('w'), mine.replace(/^\S+/, 'epoch').replace('"u"', '"w"'));
      await client.set(key('x'), mine.replace('"u"', '"x"').replace('"plan":"free"', '"plan":7'));
      await client.set(key('y'), 'hello');
      await client.hSet(key('z'), 'a', 'b');
    });
    await finds(at(5), { u: 3, v: null, w: null, x: null, y: null, z: null });
  });

  it('can be read by other programs as the document says', async () => {
    const { lead, offer, holds, namespace } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    await redis.ask(async (client) => {
      expect(await client.get('tenure:cache')).toBe(namespace);
      const [level, value] = await client.mGet([`${namespace}:level`, `${namespace}:user:u`]);
      const [epoch, liveEpoch, revision, event] = level?.split(' ') ?? [];
      expect([liveEpoch, revision, event]).toEqual(['1', '5', 'event-5']);
      const [ofEpoch, readAt, position, version, validUntil, etag, ...json] = value?.split(' ') ?? [];
      expect([ofEpoch, readAt, position, version, validUntil]).toEqual([epoch, '5', '7', '3', '-']);
      expect(etag).toBe(snapshot('u', 3).etag);
      expect(JSON.parse(json.join(' '))).toMatchObject({ userId: 'u', plan: 'free', revocationVersion: 3 });
      const lifetime = await client.pTTL(`${namespace}:user:u`);
      expect(lifetime).toBeGreaterThan(3_000_000);
      expect(lifetime).toBeLessThanOrEqual(3_600_000);
    });
  });

  it('are written again after Redis was emptied, and nothing of before is used', async () => {
    const { lead, offer, find, holds, level } = instances();
    await lead(at(5), 'all');
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
    await redis.ask((client) => client.flushAll());
    expect(await find(at(5), 'u')).toEqual([null]);
    await until('the level is told again', async () => (await level()) !== null);
    await offer(at(5), snapshot('u', 3));
    await holds(at(5), 'u');
  });
});
