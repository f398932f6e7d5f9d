import type { Statements } from '../../src/database/in-transaction.js';
import { dropOldDeadLetters, replayDeadLetter } from '../../src/reactions/dead-letters.js';
import {
  type DueWork,
  EVERYTHING,
  type Followed,
  HeldWorkError,
  type NewWork,
  type Occurrence,
  type Reaction,
} from '../../src/reactions/reaction.js';
import { findReactionCheckpoint } from '../../src/reactions/reaction-checkpoint.js';
import { reactOnce } from '../../src/reactions/reaction-round.js';
import { Reactor } from '../../src/reactions/reactor.js';
import { customerOf } from '../../src/reactions/served-user.reader.js';
import { endTries, holdLanes, type TryEnd, takeDue } from '../../src/reactions/work-store.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog, type Replay, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const STRAIGHT: Replay = { batchSize: 500, sliceSize: 1_000, projector: 'kept' };
const OPS = { actor: 'ops', reason: 'a test' };
/** Interval between two looks of a reactor that hears of nothing new. */
const EVERY_MS = 500;

/** One line for an occurrence. */
function told(occurrence: Occurrence): string {
  if (occurrence.kind === 'event') return `${occurrence.event.type} ${occurrence.event.position}`;
  const { userId, cause, before, after } = occurrence.change;
  const by = cause.kind === 'time' ? 'time' : `${cause.event?.type} ${cause.position}`;
  return `${userId} ${before.plan}>${after.plan} v${after.revocationVersion} by ${by}`;
}

/** A reaction that keeps what it was shown; each occurrence is work of its user's lane, or of the log's. */
class Recording implements Reaction {
  readonly name = 'recording';
  readonly follows: Followed = EVERYTHING;
  readonly atOnce = 4;
  readonly retryAfterMs = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  readonly shown: string[] = [];
  readonly done: string[] = [];
  asleep = false;

  constructor(private readonly onPerform: (work: DueWork, signal: AbortSignal) => Promise<void>) {}

  async isAsleep(): Promise<boolean> {
    return this.asleep;
  }

  async workFor(occurrences: readonly Occurrence[], _: Statements): Promise<readonly NewWork[]> {
    const lines = occurrences.map(told);
    this.shown.push(...lines);
    return occurrences.map((occurrence, i) => ({
      key: occurrence.kind === 'event' ? occurrence.event.id : occurrence.change.id,
      lane: occurrence.kind === 'event' ? 'log' : occurrence.change.userId,
      group: 'all',
      payload: lines[i],
    }));
  }

  async heldGroups(): Promise<readonly string[]> {
    return [];
  }

  async perform(work: DueWork, signal: AbortSignal): Promise<void> {
    await this.onPerform(work, signal);
    this.done.push(`${work.id} ${work.payload}`);
  }
}

function sight(name: string, second: number, more: Parameters<typeof sightOf>[2] = {}): ToRecord {
  const record = sightOf(name, second, { userId: name, ...more });
  const origin = record.origin && { ...record.origin, eventId: `evt_${name}_${second}` };
  return { ...record, origin };
}

describe('A reaction', () => {
  let log: ProjectedLog;
  const running: Reactor[] = [];
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await fold(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
  });
  afterEach(async () => {
    for (const reactor of running.splice(0)) await reactor.stop();
    await log.close();
  });

  async function fold(...events: readonly ToRecord[]): Promise<void> {
    await log.record(...events);
    expect((await log.replay(STRAIGHT)).outcome).toBe('idle');
  }

  async function react(reaction: Reaction, size = { events: 500, rows: 1_000 }): Promise<void> {
    for (;;) {
      const end = await reactOnce({ pool: log.pool, store: log.store, size }, reaction);
      if (end.outcome === 'level' || end.outcome === 'asleep') return;
    }
  }

  function run(reaction: Reaction): Reactor {
    const reactor = new Reactor({
      pool: log.pool,
      url: log.url,
      store: log.store,
      reactions: [reaction],
      isLogKnown: () => true,
      metrics: { reactionWork: () => undefined, reactionWritten: () => undefined },
      onTrouble: () => undefined,
    });
    running.push(reactor);
    reactor.start();
    return reactor;
  }

  const nothing = async (): Promise<void> => undefined;

  it('begins with now, and is shown every event once with the changes that it made, and those by time before them', async () => {
    await fold(sight('old', day(1)));
    const reaction = new Recording(nothing);
    await react(reaction);
    expect(reaction.shown).toEqual([]);
    await fold(
      sight('ann', day(2), { cancelAt: day(3) }),
      sight('bob', day(4)),
      sight('ann', day(5), { cancelAt: null }),
    );
    const expected = [
      'SubscriptionUpdated 3',
      'ann free>plus v1 by SubscriptionUpdated 3',
      'SubscriptionUpdated 4',
      'bob free>plus v1 by SubscriptionUpdated 4',
      'ann plus>free v2 by time',
      'SubscriptionUpdated 5',
      'ann free>plus v3 by SubscriptionUpdated 5',
    ];
    await react(reaction);
    expect(reaction.shown.toSorted()).toEqual(expected.toSorted());
    expect(reaction.shown.filter((line) => line.startsWith('ann'))).toEqual(
      expected.filter((line) => line.startsWith('ann')),
    );
    expect(reaction.shown.filter((line) => line.startsWith('Sub'))).toEqual(
      expected.filter((line) => line.startsWith('Sub')),
    );
  });

  it('is shown the same in pages of any size, and nothing behind what was folded', async () => {
    const whole = new Recording(nothing);
    await react(whole);
    const events = Array.from({ length: 12 }, (_, i) =>
      sight(`u${i % 3}`, day(2) + i, i % 2 === 0 ? {} : { status: 'canceled' }),
    );
    await fold(...events);
    await log.record(sight('unfolded', day(9)));
    await react(whole);
    await log.pool.query(`update tenure.reaction_checkpoint set position = 1, ordinal =
      (select min(ordinal) - 1 from tenure.served_entitlement where user_id <> '')`);
    for (const size of [
      { events: 1, rows: 1_000 },
      { events: 500, rows: 1 },
      { events: 5, rows: 3 },
    ]) {
      await log.pool.query(`update tenure.reaction_checkpoint set position = 1, ordinal =
        (select min(ordinal) - 1 from tenure.served_entitlement where user_id <> '')`);
      const paged = new Recording(nothing);
      await react(paged, size);
      expect(paged.shown).toEqual(whole.shown);
    }
    expect(whole.shown.join()).not.toContain('unfolded');
    expect(await workIds()).toHaveLength(whole.shown.length);
  });

  async function workIds(): Promise<readonly string[]> {
    const { rows } = await log.pool.query<{ id: string }>('select id from tenure.reaction_work order by seq');
    return rows.map(({ id }) => id);
  }

  it('is shown nothing again by a rebuild, a swap or a way back', async () => {
    const live = await log.start('live', { now: () => at(day(8)) });
    const reaction = new Recording(nothing);
    await react(reaction);
    await live.reaches(await log.record(sight('ann', day(2)), sight('bob', day(3))));
    await react(reaction);
    expect(reaction.shown).toHaveLength(4);
    await live.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    await react(reaction);
    await live.rebuilds.rollBack(OPS);
    await react(reaction);
    expect(reaction.shown).toHaveLength(4);
    await live.reaches(await log.record(sight('ann', day(4), { status: 'canceled' })));
    await react(reaction);
    expect(reaction.shown.slice(4)).toEqual([
      'SubscriptionUpdated 4',
      'ann plus>free v2 by SubscriptionUpdated 4',
    ]);
  });

  it('is shown nothing of what a swap changed, and later what is another than that', async () => {
    const reaction = new Recording(nothing);
    await react(reaction);
    await fold(sight('ann', day(2)));
    await react(reaction);
    await log.pool.query(
      `insert into tenure.served_entitlement (user_id, known_from, snapshot, successors, counter, version_offset,
         position, changed_at, by_swap)
       select user_id, known_from, replace(snapshot, '"plan":"plus"', '"plan":"other"'), successors, counter, 1,
         position, changed_at, true from tenure.served_entitlement where user_id = 'ann'`,
    );
    await react(reaction);
    expect(reaction.shown).toHaveLength(2);
    await fold(sight('ann', day(3), { status: 'paused' }));
    await react(reaction);
    expect(reaction.shown.at(-1)).toBe('ann other>free v2 by SubscriptionUpdated 3');
  });

  it('writes nothing where another instance was there first, and holds up nobody while it looks up what follows', async () => {
    const other = new Recording(nothing);
    await react(other);
    await fold(sight('ann', day(2)));
    const late = new (class extends Recording {
      override async workFor(occurrences: readonly Occurrence[], database: Statements) {
        await database.query(
          `insert into tenure.reaction_checkpoint (reaction, ordinal) values ('looked up', 0)`,
          [],
        );
        await react(other);
        return super.workFor(occurrences, database);
      }
    })(nothing);
    const end = await reactOnce({ pool: log.pool, store: log.store }, late);
    expect(end).toEqual({ written: 0, mayBeMore: false, outcome: 'lost' });
    expect(other.shown).toEqual(late.shown);
    expect(await workIds()).toHaveLength(other.shown.length);
    expect(await findReactionCheckpoint(log.pool, 'looked up')).toBeNull();
  });

  it('that wants nothing goes on without a look, and later begins where it wants something', async () => {
    const reaction = new Recording(nothing);
    await react(reaction);
    reaction.asleep = true;
    await log.pool.query(`update tenure.reaction_checkpoint set moved_at = now() - interval '1 minute'`);
    await fold(sight('ann', day(2)));
    await react(reaction);
    reaction.asleep = false;
    await react(reaction);
    expect(reaction.shown).toEqual([]);
  });

  it('that follows some events and no changes is shown those events alone, and what it follows later from then on', async () => {
    const reaction = new (class extends Recording {
      override readonly follows: Followed = {
        mayMatter: ({ data }) => data.includes('"ann"'),
        changes: 'none',
      };
    })(nothing);
    await react(reaction);
    await fold(sight('ann', day(2)), sight('bob', day(3)), sight('ann', day(4), { status: 'canceled' }));
    await react(reaction);
    await react(reaction);
    expect(reaction.shown).toEqual(['SubscriptionUpdated 2', 'SubscriptionUpdated 4']);
    const later = new Recording(nothing);
    await react(later);
    await fold(sight('bob', day(5), { status: 'canceled' }));
    await react(later);
    expect(later.shown).toEqual(['SubscriptionUpdated 5', 'bob plus>free v2 by SubscriptionUpdated 5']);
  });

  it('does all of a lane in order though half of the tries fail, and other lanes beside it', async () => {
    const reaction = new Recording(async ({ attempts }) => {
      if (attempts === 0) throw new Error('not now');
    });
    await react(reaction);
    run(reaction);
    const events = Array.from({ length: 20 }, (_, i) =>
      sight(`u${i % 2}`, day(2) + i, i % 4 < 2 ? {} : { status: 'paused' }),
    );
    await fold(...events);
    await until('all is done', () => reaction.done.length === 40);
    await until('nothing waits', async () => (await workIds()).length === 0);
    const done = reaction.done.map((line) => line.slice(37));
    for (const lane of ['u0', 'u1', 'Sub']) {
      const of = (lines: readonly string[]) => lines.filter((line) => line.startsWith(lane));
      expect(of(done)).toEqual(of(reaction.shown));
    }
  });

  it('looks into the log for what is new and at times, and not after each piece of work that ends', async () => {
    const events = Array.from({ length: 30 }, (_, i) => sight(`u${i % 3}`, day(2) + i));
    let looks = 0;
    const reaction = new (class extends Recording {
      override async isAsleep(): Promise<boolean> {
        looks += 1;
        return false;
      }
    })(nothing);
    await react(reaction);
    await fold(...events);
    looks = 0;
    const began = performance.now();
    run(reaction);
    await until('all of it is done', async () => reaction.done.length >= events.length);
    expect(looks).toBeGreaterThan(0);
    const inTheirTime = (performance.now() - began) / EVERY_MS;
    expect(looks).toBeLessThan(events.length / 2 + inTheirTime);
  });

  it('is tried four at a time of a group, and goes on while how it ended waits to be kept', async () => {
    let [now, most] = [0, 0];
    const reaction = new Recording(async () => {
      now += 1;
      most = Math.max(most, now);
      await log.pool.query('select pg_sleep(0.01)');
      now -= 1;
    });
    await react(reaction);
    await fold(...Array.from({ length: 9 }, (_, i) => sight(`u${i}`, day(2) + i)));
    await react(reaction);
    const holder = await openTransaction(log.pool);
    try {
      await holdLanes(holder, reaction.name);
      run(reaction);
      await until('the first of every lane was tried', () => new Set(reaction.done).size >= 10);
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await until('nothing waits', async () => (await workIds()).length === 0);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('that is held when its turn comes waits as it was, and is no try', async () => {
    const attempts: number[] = [];
    let isHeld = true;
    let asked = 0;
    const reaction = new (class extends Recording {
      override async heldGroups(): Promise<readonly string[]> {
        return isHeld && asked > 0 ? ['all'] : [];
      }
    })(async (work) => {
      asked += 1;
      if (isHeld) throw new HeldWorkError();
      attempts.push(work.attempts);
    });
    await react(reaction);
    await fold(...Array.from({ length: 9 }, (_, i) => sight(`u${i}`, day(2) + i)));
    await react(reaction);
    run(reaction);
    await until('one was held', () => asked > 0);
    isHeld = false;
    await until('nothing waits', async () => (await workIds()).length === 0);
    expect(new Set(attempts)).toEqual(new Set([0]));
    expect(reaction.done).toHaveLength(18);
  });

  it('goes on with another instance when one is stopped, however much waits', async () => {
    const begun: string[] = [];
    const stuck = new Recording(async ({ id }, signal) => {
      begun.push(id);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
    });
    await react(stuck);
    await fold(...Array.from({ length: 30 }, (_, i) => sight(`u${i}`, day(2) + i)));
    await react(stuck);
    const written = await workIds();
    const first = run(stuck);
    await until('as many are under way as may be', () => begun.length === stuck.atOnce);
    const next = new Recording(nothing);
    run(next);
    await first.stop();
    await until('the other did it', () => next.done.length === written.length);
    expect(begun).toHaveLength(stuck.atOnce);
    expect(next.done.map((line) => line.slice(0, 36)).sort()).toEqual(written.toSorted());
  });

  it('is done by another instance where one died in the middle, by the same ids', async () => {
    const begun: string[] = [];
    const stuck = new Recording(async ({ id }, signal) => {
      begun.push(id);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
    });
    await react(stuck);
    await fold(sight('ann', day(2)), sight('bob', day(3)));
    const first = run(stuck);
    const next = new Recording(nothing);
    await until('three lanes are under way', () => begun.length === 3);
    const written = await workIds();
    run(next);
    // Its session ends as that of a process that was killed.
    await log.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tenure all reactions'
       and datname = current_database() and pid = (select pid from pg_locks where locktype = 'advisory' and granted
         and classid = ${0x746e7278} and database = (select oid from pg_database where datname = current_database()))`,
    );
    void first.stop();
    await until('the other did it', () => next.done.length === written.length);
    expect(new Set(next.done.map((line) => line.slice(0, 36)))).toEqual(new Set(written));
    expect(next.shown).toEqual([]);
    expect(begun.every((id) => written.includes(id))).toBe(true);
  });

  it('gives up work after its last try, lets the next of the lane go, and drops it after 30 days', async () => {
    const reaction = new Recording(async ({ payload }) => {
      if (String(payload).includes('v1')) throw new Error('never');
    });
    await react(reaction);
    run(reaction);
    await fold(sight('ann', day(2)), sight('ann', day(3), { status: 'canceled' }));
    await until('the second is done', () => reaction.done.some((line) => line.includes('v2')));
    await until('one is left', async () => (await workIds()).length === 1);
    const { rows } = await log.pool.query(
      'select state, attempts, failure, payload from tenure.reaction_work',
    );
    expect(rows).toEqual([
      {
        state: 'dead',
        attempts: 11,
        failure: 'never',
        payload: '"ann free>plus v1 by SubscriptionUpdated 2"',
      },
    ]);
    const agedBy = (days: number) =>
      log.pool.query(`update tenure.reaction_work set dead_at = now() - $1 * interval '1 day'`, [days]);
    await agedBy(29);
    expect(await dropOldDeadLetters(log.pool)).toBe(0);
    await agedBy(31);
    expect(await dropOldDeadLetters(log.pool)).toBe(1);
  });

  it('does work that is replayed last in its lane, and never beside another of it', async () => {
    const reaction = new Recording(nothing);
    await react(reaction);
    await fold(sight('ann', day(2)), sight('ann', day(3), { status: 'paused' }), sight('ann', day(4)));
    await react(reaction);
    const due = async (): Promise<readonly DueWork[]> => {
      const all = await takeDue(log.pool, reaction.name, { underWay: [], held: [], perGroup: 64, inAll: 64 });
      return all.filter(({ lane }) => lane === 'ann');
    };
    const next = async (end: TryEnd): Promise<DueWork> => {
      const [first, ...beside] = await due();
      if (first === undefined || beside.length > 0) throw new Error('not one of the lane is due');
      await endTries(log.pool, reaction.name, [{ work: first, end }]);
      return first;
    };
    const given = await next({ outcome: 'dead', why: 'never' });
    const [second] = await due();
    expect(await replayDeadLetter(log.pool, given.id)).toBe(true);
    expect(await due()).toEqual([second]);
    const done = [
      await next({ outcome: 'done' }),
      await next({ outcome: 'done' }),
      await next({ outcome: 'done' }),
    ];
    expect(done.map(({ payload }) => String(payload).match(/v\d/)?.[0])).toEqual(['v2', 'v3', 'v1']);
    expect(done.at(-1)).toMatchObject({ id: given.id, replayed: true, attempts: 0 });
    expect(await due()).toEqual([]);
  });

  it('is told a customer of a user that Stripe still has', async () => {
    const customer = (id: string, type: 'CustomerObserved' | 'CustomerDeleted'): ToRecord => {
      const { origin, at: when } = sight(id, day(2));
      const stripeType = type === 'CustomerDeleted' ? 'customer.deleted' : 'customer.updated';
      return {
        event: { type, data: { customer: id, userId: 'ann' } },
        origin: origin && { ...origin, stripeType },
        at: when,
      };
    };
    await fold(customer('cus_1', 'CustomerDeleted'));
    expect(await customerOf(log.pool, 'ann')).toBeNull();
    await fold(customer('cus_2', 'CustomerObserved'), customer('cus_3', 'CustomerObserved'));
    expect(await customerOf(log.pool, 'ann')).toBe('cus_2');
  });
});
