import fc from 'fast-check';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { deadlineAggregate } from '../../src/commands/deadline.aggregate.js';
import { DeadlineScheduler } from '../../src/deadlines/deadline-scheduler.js';
import { EventStoreUnavailableError } from '../../src/event-store/errors.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { planCatalogSchema } from '../../src/events/catalog.events.js';
import type { DeadlineOutcome } from '../../src/observability/metrics.js';
import { DeadlineReader, type DueDeadline } from '../../src/projections/read-models/deadline.reader.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { type History, history, USERS } from '../support/histories.js';
import { DAWN, observationEvent } from '../support/lives.facts.js';
import { wholeLog } from '../support/log.js';
import { at, DAY, day, item, seen } from '../support/policy-stories.js';
import {
  type Instance,
  ProjectedLog,
  type Replay,
  type Rows,
  type ToRecord,
} from '../support/projected-log.js';
import { unreliableStore } from '../support/unreliable-store.js';
import { until } from '../support/until.js';

const numRuns = Number(process.env.DEADLINE_RUNS ?? '2');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.DEADLINE_SEED === undefined ? {} : { seed: Number(process.env.DEADLINE_SEED) };
const STRAIGHT: Replay = { batchSize: 500, sliceSize: 1_000, projector: 'kept' };

const CATALOGUE: ToRecord = {
  event: {
    type: 'PlanCatalogPublished',
    data: {
      hash: 'hash',
      catalog: planCatalogSchema.parse({
        default: 'free',
        plans: {
          free: { rank: 0, role: 'free', features: ['reports'] },
          plus: { rank: 1, role: 'paid', features: ['export'], prices: { m: 'plus_m' } },
        },
      }),
    },
  },
  origin: null,
  at: at(day(0)),
};

/** A subscription of `userId` on the plan plus that ends at the second `end` (Unix). */
function ending(
  userId: string,
  end: number,
  second = day(0),
  more: Parameters<typeof seen>[2] = {},
): ToRecord {
  const told = seen('updated', second, {
    subscription: `sub_${userId}`,
    customer: `cus_${userId}`,
    userId,
    items: [item('plus_m')],
    cancelAt: end,
    ...more,
  });
  if (told.kind !== 'observation') throw new Error('a sight is an observation');
  const fact = { ...told.fact, eventId: `evt_${told.fact.data.subscription}_${second}` };
  return { event: observationEvent(fact), origin: fact, at: at(second) };
}

function deadline(userId: string, instant: number, recordedAt = instant): ToRecord {
  const event = {
    type: 'AccessDeadlineReached',
    data: { userId, at: new Date(instant).toISOString() },
  } as const;
  return { event, origin: null, at: recordedAt };
}

/** Bodies as they are served to `users` at `now` (Unix ms). */
async function served(log: ProjectedLog, users: readonly string[], now: number): Promise<readonly string[]> {
  const all = await new EntitlementReader(log.pool, () => now).readMany(users);
  return all.map(({ body }) => body);
}

/** Records and folds; the projection must not stop. */
async function fold(log: ProjectedLog, ...events: readonly ToRecord[]): Promise<void> {
  await log.record(...events);
  expect((await log.replay(STRAIGHT)).outcome).toBe('idle');
}

describe('A deadline', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  /** The rows of a user with the transaction that wrote them. */
  async function written(userId: string): Promise<unknown> {
    const { rows } = await log.pool.query(
      'select xmin::text, counter, plan, next_at, history_seq from tenure.user_role where user_id = $1',
      [userId],
    );
    return rows;
  }

  async function timeRows(userId: string): Promise<unknown> {
    const { rows } = await log.pool.query(
      `select cause, counter, valid_from, position from tenure.entitlement_history
       where user_id = $1 order by seq offset 1`,
      [userId],
    );
    return rows;
  }

  it('writes the change by time with its own row and version, at its instant whenever it was recorded', async () => {
    await fold(log, CATALOGUE, ending('ann', day(5)));
    expect(await written('ann')).toEqual([
      expect.objectContaining({ counter: 1, plan: 'plus', next_at: new Date(at(day(5))) }),
    ]);
    await fold(log, deadline('ann', at(day(5)), at(day(5)) + 3_000));
    expect(await written('ann')).toEqual([
      expect.objectContaining({ counter: 2, plan: 'free', next_at: null, history_seq: 2 }),
    ]);
    expect(await timeRows('ann')).toEqual([
      { cause: 'time', counter: 2, valid_from: new Date(at(day(5))), position: null },
    ]);
    const feed = await log.pool.query('select user_id, version from tenure.revocation_feed order by cursor');
    expect(feed.rows).toEqual([
      { user_id: 'ann', version: 1 },
      { user_id: 'ann', version: 2 },
    ]);
    // The clock is the instant's, not the recording's: what comes within those 3 s is judged at its own time.
    const { rows } = await log.pool.query('select now_ms from tenure.projection_checkpoint');
    expect(rows).toEqual([{ now_ms: String(at(day(5))) }]);
  });

  it('touches no row when it comes after an event that wrote the change, or comes twice', async () => {
    await fold(log, CATALOGUE, ending('ann', day(5)), ending('ann', day(9), day(6)));
    const before = await written('ann');
    expect(before).toEqual([expect.objectContaining({ counter: 3, plan: 'plus', history_seq: 3 })]);
    await fold(log, deadline('ann', at(day(5)), at(day(6))), deadline('ann', at(day(5)) + 1, at(day(6))));
    expect(await written('ann')).toEqual(before);
    await fold(log, deadline('ann', at(day(9))));
    const after = await written('ann');
    expect(after).toEqual([expect.objectContaining({ counter: 4, plan: 'free' })]);
    await fold(log, deadline('ann', at(day(9))));
    expect(await written('ann')).toEqual(after);
  });

  it('of an end that was put off meanwhile changes nothing, and of a stranger makes no row', async () => {
    await fold(log, CATALOGUE, ending('ann', day(5)), ending('ann', day(9), day(4)));
    const before = await written('ann');
    await fold(log, deadline('ann', at(day(5))), deadline('nobody', at(day(5))));
    expect(await written('ann')).toEqual(before);
    expect(await written('nobody')).toEqual([]);
    await fold(log, deadline('ann', at(day(9))));
    expect(await written('ann')).toEqual([expect.objectContaining({ counter: 2, plan: 'free' })]);
  });

  it('is found by the index, oldest first, page by page, and not before its instant', async () => {
    const users = Array.from({ length: 9 }, (_, n) => `user${n}`);
    await fold(log, CATALOGUE, ...users.map((userId, n) => ending(userId, day(5) + (n % 3))));
    const reader = new DeadlineReader(log.pool);
    expect(await reader.due(at(day(5)) - 1, null, 100)).toEqual([]);
    expect((await reader.due(at(day(5)), null, 100)).map(({ userId }) => userId)).toEqual([
      'user0',
      'user3',
      'user6',
    ]);
    const paged = [];
    for (let page = await reader.due(at(day(6)), null, 2); page.length > 0; ) {
      paged.push(...page);
      page = await reader.due(at(day(6)), page.at(-1) ?? null, 2);
    }
    expect(paged).toEqual(await reader.due(at(day(6)), null, 100));
    expect(paged).toHaveLength(9);
  });
});

const PLUS = [item('price_plus_m')];
/** Ways to what time alone will change, once or twice, `until` a second. */
const ENDINGS = {
  ends: (until: number) => ({ items: PLUS, cancelAt: until }),
  'a trial': (until: number) => ({ items: PLUS, status: 'trialing', trialEnd: until, cancelAt: null }),
  'a trial that ends': (until: number) => ({
    items: PLUS,
    status: 'trialing',
    trialEnd: until,
    cancelAt: until + 9 * DAY,
  }),
  'past due': () => ({ items: PLUS, status: 'past_due', cancelAt: null }),
  'past due and ends': (until: number) => ({ items: PLUS, status: 'past_due', cancelAt: until }),
};

/** A history with subscriptions woven in that time will change. */
function timely(): fc.Arbitrary<History> {
  const story = fc.record({
    userId: fc.constantFrom(...USERS),
    way: fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])),
    begins: fc.nat({ max: 60 * DAY }),
    lasts: fc.integer({ min: 1, max: 30 * DAY }),
  });
  return fc
    .record({ given: history(), stories: fc.array(story, { minLength: 3, maxLength: 8 }) })
    .map(({ given, stories }) => {
      const events = [...given.events];
      for (const [n, { userId, way, begins, lasts }] of stories.entries()) {
        const second = DAWN + begins;
        const event = ending(userId, second + lasts, second, {
          subscription: `sub_story_${n}`,
          customer: `cus_story_${n}`,
          ...ENDINGS[way](second + lasts),
        });
        const after = events.findIndex((each) => each.at > event.at);
        events.splice(after < 0 ? events.length : after, 0, event);
      }
      return { ...given, events, [fc.toStringMethod]: () => `${events.length} events` };
    });
}

/** Where every story is over: nothing follows by time alone any more. */
const END = at(day(2_000));

/**
 * Folds a history with deadlines between its events, one for each change that is due by then, and after it until nothing
 * is to come. Returns how many there were.
 */
async function foldWithDeadlines(log: ProjectedLog, { events }: History): Promise<number> {
  const reader = new DeadlineReader(log.pool);
  let reached = 0;
  /** The API answers at any moment from `now` on as it will when the deadline has been written. */
  const reach = async ({ userId, at: instant }: DueDeadline, now: number): Promise<void> => {
    const moments = [now, now + 1, now + 40 * 86_400_000, END];
    const before = await Promise.all(moments.map((moment) => served(log, USERS, moment)));
    await fold(log, deadline(userId, instant, now));
    expect(await Promise.all(moments.map((moment) => served(log, USERS, moment)))).toEqual(before);
    reached += 1;
  };
  let clock = 0;
  for (const [n, event] of events.entries()) {
    await fold(log, event);
    clock = Math.max(clock, event.at);
    const next = Math.max(clock, events[n + 1]?.at ?? clock);
    for (const due of await reader.due(next, null, 100)) await reach(due, next);
  }
  for (;;) {
    const [first] = await reader.due(END, null, 1);
    if (first === undefined) return reached;
    await reach(first, Math.max(clock, first.at));
  }
}

/** What the read models say of users, but for places in the log, which the deadlines take up. */
function withoutPositions(rows: Rows): unknown {
  const bare = (table: string): unknown =>
    (rows[table] ?? []).map((row) => ({ ...(row as object), position: null, catalog: null }));
  const feed = (rows.revocation_feed ?? []) as readonly {
    user_id: string;
    version: number;
    raised_at: string;
  }[];
  return {
    user_role: bare('user_role'),
    revocation_version: bare('revocation_version'),
    entitlement_history: bare('entitlement_history'),
    feed: feed.map(({ user_id, version, raised_at }) => `${user_id} ${version} ${raised_at}`).sort(),
  };
}

describe('Deadlines in any history', () => {
  it(
    'write what was served, and give the rows that the next events would have written',
    async () => {
      let reached = 0;
      await fc.assert(
        fc.asyncProperty(timely(), async (given) => {
          const [plain, timely] = [await ProjectedLog.open(), await ProjectedLog.open()];
          try {
            reached += await foldWithDeadlines(timely, given);
            await fold(plain, ...given.events);
            // One last event of everybody's, so that without deadlines too all that is due is written.
            const last = USERS.map((userId) => ending(userId, day(3_000), day(2_000)));
            await fold(plain, ...last);
            await fold(timely, ...last);
            const rows = await timely.rows();
            expect(withoutPositions(rows)).toEqual(withoutPositions(await plain.rows()));
            await timely.empty();
            expect(
              (await timely.replay({ batchSize: 7, sliceSize: 2, projector: 'made anew each round' }))
                .outcome,
            ).toBe('idle');
            expect(await timely.rows()).toEqual(rows);
          } finally {
            await plain.close();
            await timely.close();
          }
        }),
        { numRuns, endOnFailure: true, ...seed },
      );
      expect(reached).toBeGreaterThanOrEqual(numRuns);
    },
    RUNS_MS,
  );
});

describe('The scheduler of deadlines', () => {
  let log: ProjectedLog;
  const schedulers: DeadlineScheduler[] = [];
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(async () => {
    for (const scheduler of schedulers.splice(0)) await scheduler.stop();
    await log.close();
  });

  const LATER = at(day(30));

  function schedule(
    instance: Instance,
    {
      store = log.store,
      pageSize = 500,
      now = () => LATER,
    }: { store?: EventStore; pageSize?: number; now?: () => number } = {},
  ) {
    const counted: DeadlineOutcome[] = [];
    const lags: number[] = [];
    const troubles: (string | null)[] = [];
    const repository = new AggregateRepository(store, deadlineAggregate, { streamPrefix: 'tenure.' });
    const scheduler = new DeadlineScheduler({
      deadlines: instance.deadlines,
      commands: repository,
      isOurs: () => true, // nothing may hang on who leads
      handled: () => instance.engine.status().handled,
      metrics: {
        deadline: (outcome) => {
          counted.push(outcome);
          lags.push(scheduler.lagSeconds);
        },
      },
      onTrouble: (userId) => troubles.push(userId),
      now,
      pageSize,
    });
    schedulers.push(scheduler);
    return { scheduler, counted, lags, troubles };
  }

  async function reached(): Promise<readonly string[]> {
    const events = await wholeLog(log.store);
    return events.filter(({ type }) => type === 'AccessDeadlineReached').map(({ data }) => data);
  }

  async function unwritten(): Promise<number> {
    const { rows } = await log.pool.query(
      'select count(*)::int as n from tenure.user_role where next_at <= $1',
      [new Date(LATER)],
    );
    return rows[0].n;
  }

  it('appends each of many once, however many instances look, and none before its time', async () => {
    const users = Array.from({ length: 200 }, (_, n) => `user${n}`);
    await fold(log, CATALOGUE, ...users.map((userId) => ending(userId, day(5))), ending('later', day(31)));
    const instances = [await log.start('one'), await log.start('two')];
    const two = instances.map((instance) => schedule(instance, { pageSize: 64 }));
    for (const { scheduler } of two) scheduler.start();
    await until('all to be written', async () => (await unwritten()) === 0);
    for (const { scheduler } of two) await scheduler.stop();
    const events = await reached();
    expect(events).toHaveLength(200);
    expect(new Set(events).size).toBe(200);
    expect(events.join()).not.toContain('later');
    const counted = two.flatMap((each) => each.counted);
    expect(counted.filter((outcome) => outcome === 'appended')).toHaveLength(200);
    expect(counted).not.toContain('failed');
    const { rows } = await log.pool.query('select distinct counter from tenure.user_role where plan = $1', [
      'free',
    ]);
    expect(rows).toEqual([{ counter: 2 }]);
    expect(Math.min(...two.flatMap(({ lags }) => lags))).toBeGreaterThan(0);
  });

  it('goes on where it was when the store was away, and appends what landed unheard once', async () => {
    const users = Array.from({ length: 40 }, (_, n) => `user${n}`);
    await fold(log, CATALOGUE, ...users.map((userId) => ending(userId, day(5))));
    const instance = await log.start('one');
    const store = unreliableStore(log.store, (nth) => {
      if (nth < 20 || (nth > 30 && nth < 35)) throw new EventStoreUnavailableError('away');
      return nth % 3 === 0 ? 'lands unanswered' : nth % 3 === 1 ? 'is lost' : 'passes';
    });
    const { scheduler, counted, troubles } = schedule(instance, { store });
    scheduler.start();
    await until('all to be written', async () => (await unwritten()) === 0);
    await scheduler.stop();
    expect(await reached()).toHaveLength(40);
    expect(new Set(await reached()).size).toBe(40);
    expect(counted).toContain('failed');
    expect(new Set(troubles)).toEqual(new Set([null]));
  });

  it('lets one whose stream cannot be written hold up nobody else', async () => {
    await fold(log, CATALOGUE, ...['ann', 'bad', 'cid'].map((userId, n) => ending(userId, day(5) + n)));
    const instance = await log.start('one');
    await log.store.append('tenure.deadline-bad', 'no_stream', [
      {
        id: '9dddd3f5-9d66-4c3b-a780-ff1065c30129',
        type: 'AccessDeadlineReached',
        data: '{}',
        metadata: '{}',
      },
    ]);
    const { scheduler, troubles } = schedule(instance);
    scheduler.start();
    await until('the others', async () => (await reached()).filter((data) => data !== '{}').length === 2);
    await until('to hear of it', () => troubles.length > 0);
    expect(new Set(troubles)).toEqual(new Set(['bad']));
  });

  it('finds what falls due while it runs, and ends when it is told to', async () => {
    let now = at(day(1));
    await fold(log, CATALOGUE, ending('ann', day(5)));
    const instance = await log.start('one');
    const first = schedule(instance, { now: () => now });
    first.scheduler.start();
    now = at(day(5)) - 1;
    await log.record(ending('bob', day(4), day(2)));
    await until('the first', async () => (await reached()).length === 1);
    expect(await reached()).toEqual([expect.stringContaining('bob')]);
    now = at(day(5));
    await until('the second', async () => (await reached()).length === 2);
    await first.scheduler.stop();
    await instance.reaches(await log.record(ending('cid', day(7), day(6))));
    now = at(day(7));
    const second = schedule(instance, { now: () => now });
    second.scheduler.start();
    await until('the third', async () => (await reached()).length === 3);
    await second.scheduler.stop();
    expect(first.counted).toEqual(['appended', 'appended']);
    expect(second.counted).toEqual(['appended']);
  });
});
