import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DomainEvent } from '../../src/events/event-types.js';
import type { Position } from '../../src/events/stored-event.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import { NoFaultError } from '../../src/projections/rebuild/errors.js';
import { failingRules, sawStatus } from '../support/failing-rules.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { recoveryOf } from '../support/recovery-of.js';
import { customerAt } from '../support/small-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';
import { Gate, setDownTables, WatchedGroups } from '../support/watched-groups.js';

const OPS = { actor: 'ops', reason: 'a test' };
const RULES = failingRules('1', () => false);
const STATUSES = ['active', 'past_due', 'active', 'canceled'] as const;
const USERS = 8;

/** Rules that cannot judge what was ever seen unpaid. */
const FAULTY = failingRules('2', (judged) => sawStatus(judged, 'unpaid'));

/** One sight of each user's subscription, with users taking turns for two days. */
function turns(from: number): readonly ToRecord[] {
  return [from, from + 1].flatMap((turn) =>
    Array.from({ length: USERS }, (_, n) => {
      const status = STATUSES[(turn + n) % STATUSES.length] ?? 'active';
      return sightOf(String(n), day(turn) + n, { userId: `user ${n}`, status });
    }),
  );
}

function byOps(event: DomainEvent, second: number): ToRecord {
  return { event, origin: null, at: at(second) };
}

/** Where a generation is, in places (see `places`): its checkpoint, and the stretch that it is in the middle of. */
interface Where {
  readonly handled: number;
  readonly events: string;
  readonly revision: number;
  readonly stretch: { readonly until: number; readonly through: number } | { readonly inOrder: true } | null;
}

/** The same as the database has it. */
interface WhereRow extends Pick<Where, 'events' | 'revision'> {
  readonly handled: Position | null;
  readonly stretch:
    | { readonly until: Position; readonly events: number; readonly through: Position | null }
    | { readonly inOrder: true }
    | null;
}

describe('A build that is folded group by group', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...turns(1),
      publication(twoPlans({ free: 'reports', plus: 'api' }), day(3)),
      ...turns(4),
    );
  });
  afterEach(async () => {
    await until('nothing is set down any more', async () => (await setDownTables(log.pool)).length === 0);
    await log.close();
  });

  /** An instance whose builds go by groups of about four events, and what it asked for. */
  async function start(
    name: string,
    { gate, before = gate?.before, rules = RULES, batchSize = 4 }: Partial<StartOptions> = {},
  ): Promise<{ readonly instance: Instance; readonly store: WatchedGroups }> {
    const store = new WatchedGroups(log, before);
    const instance = await log.start(name, {
      store,
      rules,
      leastByGroups: 1,
      buildBatchSize: batchSize,
      patienceMs: 20_000,
      now: () => at(day(9)),
    });
    await instance.reaches(await head());
    return { instance, store };
  }

  interface StartOptions {
    readonly gate: Gate;
    readonly before: Gate['before'];
    readonly rules: FoldingRules;
    readonly batchSize: number;
  }

  async function head(): Promise<Position> {
    return (await log.store.head()) ?? '0';
  }

  async function where(generation: number): Promise<Where | null> {
    const { rows } = await log.pool.query<WhereRow>(
      `select handled::text, events::text, revision::int, stretch::json as stretch
       from tenure.projection_checkpoint where generation = $1`,
      [generation],
    );
    const [row] = rows;
    if (row === undefined) return null;
    const [handled = 0] = await places([row.handled]);
    if (row.stretch === null || 'inOrder' in row.stretch) return { ...row, handled, stretch: row.stretch };
    const [until = 0, through = 0] = await places([row.stretch.until, row.stretch.through]);
    return { ...row, handled, stretch: { ...row.stretch, until, through } };
  }

  /** The last place of which groups are written, while a stretch is not at its end; else 0. */
  async function through(generation: number): Promise<number> {
    const { stretch = null } = (await where(generation)) ?? {};
    return stretch === null || 'inOrder' in stretch ? 0 : stretch.through;
  }

  /** Waits until groups of a build are written and its stretch is not at its end; returns the last that is. */
  function inTheMiddle(generation: number): Promise<number> {
    return until('groups are written', async () => (await through(generation)) || undefined);
  }

  async function built({ rebuilds }: Instance, generation: number): Promise<void> {
    await rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
  }

  /** The positions of all events, in the log's order. */
  async function positions(): Promise<readonly Position[]> {
    return (await log.store.readAll(null, 10_000)).events.map(({ position }) => position);
  }

  /** Which events stand at these positions, counted from 1 (`null`: 0); in PostgreSQL that is what positions say. */
  async function places(asked: readonly (Position | null)[]): Promise<readonly number[]> {
    const all = [null, ...(await positions())];
    return asked.map((position) => all.indexOf(position));
  }

  /** As `places`, of every question. */
  function placesOf(asked: readonly (readonly Position[])[]): Promise<readonly (readonly number[])[]> {
    return Promise.all(asked.map((each) => places(each)));
  }

  /** The positions of every event but catalogues, in the log's order. */
  async function all(): Promise<readonly Position[]> {
    const { events } = await log.store.readAll(null, 1_000);
    return events.filter(({ type }) => type !== 'PlanCatalogPublished').map(({ position }) => position);
  }

  function inOrder(positions: readonly (readonly Position[])[]): readonly Position[] {
    return positions.flat().sort((a, b) => Number(a) - Number(b));
  }

  it('has the rows that are read, between catalogues, and asks once for every event, a few users at a time', async () => {
    const { instance, store } = await start('a');
    const generation = await instance.rebuilds.begin(OPS);
    await built(instance, generation);
    expect(inOrder(store.asked)).toEqual(await all());
    // Two stretches of 16 events, of whom each user has two that stand apart.
    expect(await placesOf(store.asked.slice(0, 2))).toEqual([
      [2, 3, 10, 11],
      [4, 5, 12, 13],
    ]);
    expect(await where(generation)).toMatchObject({ handled: 34, events: '34', stretch: null });
    await log.record(...turns(6));
    await instance.reaches(await head());
    await built(instance, generation);
  });

  it('shows how far it is by its events while its position stands, and ends at both', async () => {
    const gate = new Gate(2);
    const { instance } = await start('a', { gate });
    const generation = await instance.rebuilds.begin(OPS);
    await until('two chunks are written', async () => (await where(generation))?.events === '9');
    expect(await where(generation)).toMatchObject({
      handled: 1,
      stretch: { until: 17, events: 1, through: 5 },
    });
    const job = await instance.rebuilds.rebuildOf(generation);
    expect(job).toMatchObject({ phase: 'building', handled: (await positions())[0], events: 9 });
    // 25 events are left, about, where their positions are not what counts them.
    const left = Number(job?.eventsPerSecond) * Number(job?.secondsLeft);
    expect(left / 25).toBeGreaterThan(0.7);
    expect(left / 25).toBeLessThan(1.3);
    expect(await setDownTables(log.pool)).toEqual(
      log.store.eventsAt === undefined ? [`set_down_event_g${generation}`] : [],
    );
    gate.open();
    await built(instance, generation);
  });

  it('moves its checkpoint with every page that it reads, so that whoever waits sees that something goes on', async () => {
    await log.close();
    log = await ProjectedLog.open();
    const events = Array.from({ length: 4_100 }, (_, n) => customerAt(n, 'cus_9', 'user 9', day(7)));
    await log.store.append('tenure.customer-cus_9', 'no_stream', events);
    let [generation, revision] = [0, -1];
    const before: Gate['before'] = async () => {
      if (revision < 0) revision = (await where(generation))?.revision ?? 0;
    };
    const { instance } = await start('a', { before, batchSize: 2_000 });
    generation = await instance.rebuilds.begin(OPS);
    await built(instance, generation);
    // Two full pages; the stretch itself may be noted by then.
    expect(revision).toBeGreaterThanOrEqual(2);
  });

  it('is begun anew in the order of the log where an event fails, sets aside what that sets aside, and tries no groups again', async () => {
    // Folded twice a link would be there for a while again, with a version and a history of its own.
    const sub = { subscription: 'sub_0', reason: null };
    await log.record(
      byOps({ type: 'SubscriptionLinked', data: { ...sub, userId: 'other' } }, day(6)),
      byOps({ type: 'SubscriptionUnlinked', data: sub }, day(6) + 1),
      sightOf('9', day(7), { userId: 'last', status: 'unpaid' }),
      ...turns(8),
    );
    const folded = await start('first');
    await folded.instance.stop();
    const { instance, store } = await start('a', { rules: FAULTY });
    const generation = await instance.rebuilds.begin(OPS);
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(store.asked.length).toBeGreaterThan(8);
    expect(await where(generation)).toMatchObject({ stretch: { inOrder: true } });
    expect(instance.aside.map(({ kind, id }) => [kind, id])).toEqual([
      ['stream', 'tenure.subscription-sub_9'],
    ]);
    const { length } = store.asked;
    await log.record(...turns(10));
    await instance.reaches(await head());
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(store.asked).toHaveLength(length);
    const anew = await log.rowsOf(generation);
    await instance.rebuilds.drop(generation);
    await instance.stop();

    const ordinary = await log.start('b', { rules: FAULTY, patienceMs: 20_000, now: () => at(day(9)) });
    const straight = await ordinary.rebuilds.begin(OPS);
    await ordinary.rebuilds.untilCaughtUp(straight, () => undefined);
    const rows = await log.rowsOf(straight);
    expect(rows.set_aside_stream).toHaveLength(1);
    expect(anew).toEqual(rows);
  });

  it('takes back what it has written between long reads of all generations, which hold up no other read', async () => {
    const bad = await log.record(sightOf('9', day(7), { userId: 'last', status: 'unpaid' }));
    await (await start('first')).instance.stop();
    const gate = new Gate(6);
    const { instance, store } = await start('a', { gate, rules: FAULTY });
    const generation = await instance.rebuilds.begin(OPS);
    const read = 'select from tenure.user_role limit 1';
    const long = await openTransaction(log.pool);
    try {
      await until('groups of the second stretch are written', async () => {
        return (await where(generation))?.handled !== 1 && (await through(generation)) > 0;
      });
      await long.query(read);
      gate.open();
      await until('the one that fails was asked for', async () => store.asked.flat().includes(bad));
      for (let reads = 0; reads < 20; reads += 1) {
        await log.pool.query(read);
        await pause(10);
      }
      expect((await where(generation))?.stretch).not.toEqual({ inOrder: true });
    } finally {
      gate.open();
      await long.query('rollback');
      long.release();
    }
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await where(generation)).toMatchObject({ stretch: { inOrder: true } });
  });

  it('goes on in the order of the log from the stretch with an event that nobody can read, and keeps the one before it', async () => {
    const strange = { id: randomUUID(), type: 'FromTheFuture', data: '{"userId":"dora"}', metadata: '{}' };
    const position = await log.recordRaw(strange);
    const { instance, store } = await start('a');
    await recoveryOf(log).skip(position, {
      actor: 'eva',
      correlationId: 'test',
      reason: 'of a tool that is gone',
    });
    await instance.reaches(await head());
    await until('nothing is set aside', async () => (await instance.ops.faults(null, 1)).items.length === 0);
    const generation = await instance.rebuilds.begin(OPS);
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(inOrder(store.asked)).toEqual((await all()).slice(0, 16));
    expect(await where(generation)).toMatchObject({ handled: 36, stretch: { inOrder: true } });
    expect((await log.rowsOf(generation)).user_role).toEqual((await log.rowsOf(1)).user_role);
    expect(instance.aside.map(({ position: at }) => at)).toEqual([position]);
  });

  it('goes on from the groups that are written however often it is cut off', async () => {
    const begun: { readonly first: number; readonly written: number }[] = [];
    const cutAfter = new Set<number>();
    let generation = 0;
    const before: Gate['before'] = async (_, asked) => {
      const written = await through(generation);
      const [first = 0] = await places(asked);
      begun.push({ first, written });
      if (written === 0 || cutAfter.has(written) || cutAfter.size === 5) return;
      cutAfter.add(written);
      await log.endSessions('a');
    };
    const { instance } = await start('a', { before, batchSize: 2 });
    generation = await instance.rebuilds.begin(OPS);
    await until('it caught up', async () => (await where(generation))?.handled === 34);
    expect(cutAfter.size).toBe(5);
    expect(begun.filter(({ first, written }) => first <= written)).toEqual([]);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
    expect(await where(generation)).toMatchObject({ events: '34', stretch: null });
  });

  it('is taken over by another instance where it is, also when something was set aside meanwhile in what is read', async () => {
    const gate = new Gate(2);
    const first = await start('a', { gate });
    const generation = await first.instance.rebuilds.begin(OPS);
    const written = await inTheMiddle(generation);
    const strange = await log.recordRaw({
      id: randomUUID(),
      type: 'FromTheFuture',
      data: '{"userId":"dora"}',
      metadata: '{}',
    });
    await first.instance.reaches(await head());
    const stopping = first.instance.stop();
    gate.open();
    await stopping;
    const then = await through(generation);
    expect(then).toBeGreaterThanOrEqual(written);

    const { instance, store } = await start('b');
    await built(instance, generation);
    const asked = await places(inOrder(store.asked));
    expect(asked[0]).toBeGreaterThan(then);
    // With something set aside it begins no further stretch.
    expect(asked.at(-1)).toBe(17);
    expect(await log.rowsOf(generation)).toMatchObject({ set_aside_stream: [{ position: Number(strange) }] });
  });

  it('is begun anew in the order of the log where its stretch ends where the log has no such end', async () => {
    const gate = new Gate(2);
    const first = await start('a', { gate });
    const generation = await first.instance.rebuilds.begin(OPS);
    await inTheMiddle(generation);
    const stopping = first.instance.stop();
    gate.open();
    await stopping;
    await log.pool.query(
      `update tenure.projection_checkpoint set stretch = jsonb_set(stretch::jsonb, '{until}', to_jsonb($2::text))::text
       where generation = $1`,
      [generation, (await positions())[17]],
    );
    expect(await through(generation)).toBeGreaterThan(0);
    // At the 18th there is a catalogue, before which every stretch ends.
    const { instance, store } = await start('b');
    await built(instance, generation);
    expect(store.asked).toEqual([]);
    expect(await where(generation)).toMatchObject({ stretch: { inOrder: true } });
  });

  it('is dropped in the middle and leaves nothing, and the next one is whole', async () => {
    const gate = new Gate(2);
    const { instance } = await start('a', { gate });
    const generation = await instance.rebuilds.begin(OPS);
    await inTheMiddle(generation);
    const dropping = instance.rebuilds.drop(generation);
    gate.open();
    await dropping;
    expect(await where(generation)).toBeNull();
    const next = await instance.rebuilds.begin(OPS);
    await built(instance, next);
    expect(instance.faults).toEqual([]);
  });

  it('goes on where it is after ops had it try again what it never set aside', async () => {
    const gate = new Gate(2);
    const { instance, store } = await start('a', { gate });
    const generation = await instance.rebuilds.begin(OPS);
    const written = await inTheMiddle(generation);
    await expect(recoveryOf(log).resume(generation)).rejects.toBeInstanceOf(NoFaultError);
    const { length } = store.asked;
    gate.open();
    await built(instance, generation);
    const asked = await places(inOrder(store.asked.slice(length)));
    expect(asked.filter((each) => each <= written)).toEqual([]);
    expect(await where(generation)).toMatchObject({ events: '34', stretch: null });
  });

  it('is no way to bring on a generation that was read before', async () => {
    const { instance, store } = await start('a');
    await instance.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    store.asked.length = 0;
    await log.record(...turns(6));
    await instance.reaches(await head());
    await until('the previous generation is level', async () => (await where(1))?.handled === 50);
    expect(store.asked).toEqual([]);
  });

  it('verifies: a row of one user that somebody changed is found, and nothing else', async () => {
    const { instance, store } = await start('a');
    expect(await instance.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
    expect(inOrder(store.asked)).toEqual(await all());
    await log.pool.query(
      `update tenure.revocation_version set counter = counter + 1 where user_id = 'user 5'`,
    );
    const report = await instance.rebuilds.verify('all', 'test', () => undefined);
    expect(report.differences).toBeGreaterThan(0);
    expect([...new Set(JSON.stringify(report.first).match(/user \d/g))]).toEqual(['user 5']);
    expect(store.asked.flat()).toHaveLength(2 * (await all()).length);
  });
});
