import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { EventEnvelope } from '../../src/events/event-envelope.js';
import { comparePositions } from '../../src/events/stored-event.js';
import type { ProjectionFault } from '../../src/projections/engine/checkpoint.js';
import { LeaderElection } from '../../src/projections/engine/leader-election.js';
import type { CommittedBatch, ProjectionState } from '../../src/projections/engine/projection.js';
import {
  ProjectionEngine,
  type ProjectionEngineOptions,
} from '../../src/projections/engine/projection-engine.js';
import type {
  EventFailedError,
  ProjectedBatch,
  ProjectionCursor,
  Projector,
} from '../../src/projections/engine/projector.js';
import type { UnreadableEvent } from '../../src/projections/engine/unreadable-event.js';
import { cuttingProxy } from '../contract/cutting-proxy.js';
import { ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** Writes one row for every event it folds, so that what was folded can be counted. */
class Tally implements Projector<EventEnvelope> {
  readonly name = 'tally';
  readonly codeVersion = '1';
  /** How often an event of a refused type was the only one of its batch. */
  refusals = 0;
  forgotten = 0;
  /** Called in the middle of a batch; what it returns is waited for. */
  onProject: () => Promise<void> | void = () => undefined;
  onWrite: () => Promise<void> | void = () => undefined;

  constructor(
    private readonly by: string,
    private readonly refuses: EventEnvelope['type'] | null,
  ) {}

  async project(
    given: readonly (EventEnvelope | UnreadableEvent)[],
    { logicalTime, setAside }: ProjectionCursor,
  ): Promise<ProjectedBatch> {
    await this.onProject();
    const events = given.filter((event): event is EventEnvelope => 'type' in event);
    if (events.some(({ type }) => type === this.refuses)) {
      if (events.length === 1) this.refusals += 1;
      throw new RangeError('not with me');
    }
    return {
      applied: events.length,
      partialProgress: [],
      logicalTime,
      changed: [],
      setAside,
      newlySetAside: [],
      findUnwritable: async () => ({ whole: null, users: new Map() }),
      seal: () => undefined,
      write: async (client) => {
        await this.onWrite();
        const positions = events.map(({ position }) => position);
        await client.query('insert into tally select unnest($1::bigint[]), $2', [positions, this.by]);
      },
    };
  }

  projectAhead(
    given: readonly (EventEnvelope | UnreadableEvent)[],
    from: ProjectionCursor,
  ): Promise<ProjectedBatch> {
    return this.project(given, from);
  }

  async writePart(): Promise<ProjectedBatch> {
    throw new Error('nothing is under way');
  }

  /** Sets nothing aside: it stops. */
  async setAside(_: EventEnvelope | UnreadableEvent, failed: EventFailedError): Promise<ProjectedBatch> {
    throw failed.cause;
  }

  async retrySetAside(): Promise<null> {
    return null;
  }

  forget(): void {
    this.forgotten += 1;
  }
}

/** A door that stays shut until it is opened; `reached` tells that somebody stands before it. */
class Door {
  readonly #opened: Promise<void>;
  open: () => void = () => undefined;
  reached = false;

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  pass(): Promise<void> {
    this.reached = true;
    return this.#opened;
  }
}

interface TallyInstance {
  readonly engine: ProjectionEngine;
  readonly projector: Tally;
  readonly pool: pg.Pool;
  readonly faults: readonly ProjectionFault[];
  readonly batches: readonly CommittedBatch[];
  /** Every `handled` that the engine confirmed, in that order. */
  readonly confirmed: readonly (string | null)[];
  /** The state that it was in at each of these. */
  readonly states: readonly ProjectionState[];
  readonly troubles: readonly unknown[];
}

/** `count` sights of customers nobody saw before. */
let customers = 0;
function sights(
  count: number,
  type: 'CustomerObserved' | 'CustomerDeleted' = 'CustomerObserved',
): ToRecord[] {
  return Array.from({ length: count }, () => {
    customers += 1;
    return { event: { type, data: { customer: `cus_${customers}`, userId: null } }, origin: null, at: 1_000 };
  });
}

describe('Engines on one database', () => {
  let log: ProjectedLog;
  let closers: (() => Promise<void>)[];
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.pool.query('create table tally (position bigint not null, by text not null)');
    closers = [];
  });
  afterEach(async () => {
    for (const close of closers) await close();
    await log.close();
  });

  async function start(
    name: string,
    {
      refuses = null,
      batchSize = 500,
      stuckMs = 600_000,
      store = log.store,
    }: {
      refuses?: EventEnvelope['type'] | null;
      batchSize?: number;
      stuckMs?: number;
      store?: ProjectionEngineOptions['store'];
    } = {},
  ): Promise<TallyInstance> {
    const url = `${log.url}?application_name=${name}`;
    const pool = new pg.Pool({ connectionString: url, max: 6 });
    pool.on('error', () => undefined); // sessions are ended on purpose
    const projector = new Tally(name, refuses);
    const faults: ProjectionFault[] = [];
    const batches: CommittedBatch[] = [];
    const confirmed: (string | null)[] = [];
    const states: ProjectionState[] = [];
    const troubles: unknown[] = [];
    const engine = new ProjectionEngine({
      store,
      streamPrefix: 'tenure.',
      pool,
      url,
      projection: projector.name,
      codeVersion: projector.codeVersion,
      projectorOf: () => projector,
      batchSize,
      stuckMs,
      listener: {
        onChanged: () => undefined,
        onConfirmed: ({ checkpoint }) => {
          confirmed.push(checkpoint.handled);
          states.push(engine.status().state);
        },
        onBatch: (batch) => batches.push(batch),
        onFault: (fault) => faults.push(fault),
        onSetAside: () => undefined,
        onTrouble: (error) => troubles.push(error),
      },
    });
    await engine.start();
    closers.push(async () => {
      await engine.stop();
      await pool.end();
    });
    return { engine, projector, pool, faults, batches, confirmed, states, troubles };
  }

  /** One that is open at the end whatever the test came to, so that engines can stop. */
  function shutDoor(): Door {
    const door = new Door();
    closers.unshift(async () => door.open());
    return door;
  }

  /** Ends the session that holds the lead, or every session of the instance that does; tells which instance it was. */
  async function endLeader(which: 'its session' | 'all it has'): Promise<string> {
    const { pid, name } = await until('somebody leads', () => log.leader());
    if (which === 'all it has') await log.endSessions(name);
    else await log.pool.query('select pg_terminate_backend($1)', [pid]);
    return name;
  }

  /** Positions in the order in which they were folded, and by whom. */
  async function tally(): Promise<{
    readonly positions: readonly number[];
    readonly by: ReadonlySet<string>;
  }> {
    const { rows } = await log.pool.query<{ position: string; by: string }>('select position, by from tally');
    return {
      positions: rows.map(({ position }) => Number(position)).sort((a, b) => a - b),
      by: new Set(rows.map(({ by }) => by)),
    };
  }

  function upTo(last: string): number[] {
    return Array.from({ length: Number(last) }, (_, n) => n + 1);
  }

  async function reach(position: string, ...instances: readonly TallyInstance[]): Promise<void> {
    for (const { engine } of instances) expect(await engine.waitUntil(position, PATIENCE_MS)).toBe(true);
  }

  it('have one leader; when its sessions end another goes on, and every event is folded once', async () => {
    const [a, b] = [await start('a', { batchSize: 3 }), await start('b', { batchSize: 3 })];
    let last = '0';
    for (const which of ['its session', 'all it has', 'its session', 'all it has'] as const) {
      const { name } = await until('somebody leads', () => log.leader());
      const recording = log.record(...sights(80));
      const some = Number(last) + 20;
      await until('some are folded', async () => (await tally()).positions.length >= some);
      await until('another leads', async () => {
        const leader = await log.leader();
        if (leader === undefined || leader.name !== name) return leader !== undefined;
        await endLeader(which); // at first, and again where it was the fastest to come back
        return false;
      });
      last = await recording;
    }
    await reach(last, a, b);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['a', 'b']) });
  });

  it('however many wait for a position on a standby, they look for it together', async () => {
    const a = await start('a');
    await log.leads('a');
    const b = await start('b');
    await until('b stands by', () => b.engine.status().state === 'standby');
    const query = b.pool.query.bind(b.pool);
    let [looking, most, looks] = [0, 0, 0];
    const counted = async (...given: Parameters<typeof query>): Promise<unknown> => {
      if (!JSON.stringify(given[0]).includes('tenure-live-changes')) return query(...given);
      looking += 1;
      looks += 1;
      most = Math.max(most, looking);
      const answer: unknown = await query(...given);
      looking -= 1;
      return answer;
    };
    Object.assign(b.pool, { query: counted });
    const position = await log.record(...sights(1));
    const next = (BigInt(position) + 1n).toString();
    const waiting = Array.from({ length: 300 }, () => b.engine.waitUntil(next, PATIENCE_MS));
    await until('they have looked', () => looks >= 5);
    expect(await log.record(...sights(1))).toBe(next);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([true]));
    expect(most).toBeLessThanOrEqual(2); // theirs, and that of the standby
    expect(a.engine.status().state).toBe('leading');
  });

  it('a leader that stops hands over, and a standby does not fold beside it', async () => {
    const a = await start('a');
    await log.leads('a');
    const b = await start('b');
    await reach(await log.record(...sights(3)), a, b);
    expect((await tally()).by).toEqual(new Set(['a']));
    expect([a.engine.status().state, b.engine.status().state]).toEqual(['leading', 'standby']);
    await a.engine.stop();
    await log.leads('b');
    const last = await log.record(...sights(2));
    await reach(last, b);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['a', 'b']) });
    expect(a.engine.status().state).toBe('stopped');
    // Each tells the batches that it committed itself.
    for (const [{ batches }, events] of [
      [a, 3],
      [b, 2],
    ] as const) {
      expect(batches.reduce((sum, batch) => sum + batch.events, 0)).toBe(events);
      for (const batch of batches)
        expect(batch).toMatchObject({ generation: 1, seconds: expect.any(Number) });
    }
  });

  it('one alone keeps the lead when a person, or a commit of its own whose answer was lost, moves its checkpoint', async () => {
    const a = await start('a');
    await log.leads('a');
    await until('it leads', () => a.engine.status().state === 'leading');
    const before = a.states.length;
    const pid = (await log.leader())?.pid;
    const forgotten = a.projector.forgotten;
    await log.pool.query(`update tenure.projection_checkpoint set revision = revision + 1`);
    await until('it looks again', () => a.projector.forgotten > forgotten);
    const last = await log.record(...sights(2));
    await reach(last, a);
    expect(new Set(a.states.slice(before))).toEqual(new Set(['leading']));
    expect((await log.leader())?.pid).toBe(pid);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['a']) });
  });

  it('one alone whose session ends says why, and of no other that leads; beside another it does', async () => {
    const a = await start('a');
    await log.leads('a');
    expect(a.troubles).toEqual([]);
    const before = await log.leader();
    await endLeader('its session');
    const last = await log.record(...sights(1));
    await reach(last, a);
    // It folds on by its other sessions until it hears of the end of this one.
    await until('it leads again, by another session', async () => {
      const leader = await log.leader();
      return leader !== undefined && leader.pid !== before?.pid && a.engine.status().state === 'leading';
    });
    expect(String(a.troubles[0])).toMatch(/terminat/);
    expect(a.engine.status().otherLeads).toBe(false);
    const b = await start('b');
    await until('b stands by', () => b.engine.status().state === 'standby');
    expect(b.engine.status().otherLeads).toBe(true);
  });

  it('one that finds the checkpoint moved under its batch rolls back, forgets, and stands by', async () => {
    const door = shutDoor();
    const a = await start('a');
    await log.leads('a');
    a.projector.onProject = () => door.pass();
    const last = await log.record(...sights(4));
    await until('a is in the middle of a batch', () => door.reached);
    const b = await start('b');
    expect(await endLeader('its session')).toBe('a');
    await reach(last, b);

    const forgotten = a.projector.forgotten;
    door.open();
    await until('a stands by', () => {
      const { state, handled } = a.engine.status();
      return state === 'standby' && handled === last;
    });
    expect(a.projector.forgotten).toBeGreaterThan(forgotten);
    expect(a.engine.status().batches).toBe(0);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['b']) });
    expect((await log.leader())?.name).toBe('b');
  });

  it('one that does not move while the log is ahead gives up the lead; what it waited for comes too late', async () => {
    const door = shutDoor();
    const a = await start('a', { stuckMs: 2_000 });
    await log.leads('a');
    a.projector.onProject = () => door.pass();
    const last = await log.record(...sights(4));
    await until('a is in the middle of a batch', () => door.reached);
    const b = await start('b');
    await reach(last, b);
    await until('a stands by', () => {
      const { state, handled } = a.engine.status();
      return state === 'standby' && handled === last;
    });
    door.open();
    await reach(await log.record(...sights(1)), a, b);
    expect((await tally()).positions).toEqual(upTo(String(Number(last) + 1)));
  });

  it('one that hears nothing of the log lets another lead, until it hears of it again', async () => {
    let isAway = false;
    const unlessAway = async <T>(ask: () => Promise<T>): Promise<T> => {
      const answer = isAway ? undefined : await ask();
      if (answer === undefined || isAway) throw new Error('the log is away'); // nor is what was under way heard
      return answer;
    };
    const store: ProjectionEngineOptions['store'] = {
      head: () => unlessAway(() => log.store.head()),
      readAll: (after, limit) => unlessAway(() => log.store.readAll(after, limit)),
      readAfterEvent: (position, limit) => unlessAway(() => log.store.readAfterEvent(position, limit)),
      read: (stream, from) => unlessAway(() => log.store.read(stream, from)),
      eventIdAt: (position) => unlessAway(() => log.store.eventIdAt(position)),
      onAppend: (notify) => log.store.onAppend(notify),
    };
    const a = await start('a', { stuckMs: 2_000, store });
    await log.leads('a');
    isAway = true;
    const b = await start('b');
    const last = await log.record(...sights(4));
    await reach(last, a, b);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['b']) });
    await log.leads('b');

    isAway = false;
    await b.engine.stop();
    const later = await log.record(...sights(1));
    await reach(later, a);
    expect((await tally()).positions).toEqual(upTo(later));
  });

  it('one that waits for the checkpoint of a transaction not yet over does not repeat it', async () => {
    const door = shutDoor();
    const a = await start('a');
    await log.leads('a');
    a.projector.onWrite = () => door.pass();
    const last = await log.record(...sights(1));
    await until('a is in the middle of its transaction', () => door.reached);
    const b = await start('b');
    expect(await endLeader('its session')).toBe('a');
    await until('b waits for the row', async () => {
      const { rows } = await log.pool.query(
        `select from pg_stat_activity
             where datname = current_database() and application_name = 'b' and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    door.open();
    await reach(last, a, b);
    expect(await tally()).toEqual({ positions: upTo(last), by: new Set(['a']) });
  });

  describe('a late look of a waiter', () => {
    let a: TallyInstance;
    let b: TallyInstance;
    let answer: () => Promise<boolean>;
    /** Questions whose answers came late, and are heard. */
    let heard: number;
    beforeEach(async () => {
      heard = 0;
      a = await start('a');
      await log.leads('a');
      b = await start('b');
      await reach(await log.record(...sights(1)), a, b);

      const late = new AsyncLocalStorage<Door>();
      const ask = b.pool.query.bind(b.pool) as (...given: unknown[]) => Promise<unknown>;
      Object.assign(b.pool, {
        query: async (...given: unknown[]) => {
          const found = await ask(...given);
          const shut = late.getStore();
          await shut?.pass();
          if (shut !== undefined) heard += 1;
          return found;
        },
      });
      const door = shutDoor();
      const waiting = late.run(door, () => b.engine.waitUntil('1000', 50));
      answer = async () => {
        door.open();
        await until('the late look is over', () => heard > 0);
        return waiting;
      };
      await until('the waiter has looked', () => door.reached);
    });

    it('does not set the checkpoint back', async () => {
      const last = await log.record(...sights(2));
      await reach(last, a, b);
      expect(await answer()).toBe(false);
      expect(b.confirmed).toContain(last);
      expect(b.confirmed).toEqual([...b.confirmed].sort(comparePositions));
    });

    it('ends with its time, and so does the wait of another who joins the look', async () => {
      expect(await b.engine.waitUntil('1000', 50)).toBe(false);
      expect(heard).toBe(0);
    });

    it('does not take the lead away', async () => {
      await a.engine.stop();
      await until('b leads', () => b.engine.status().state === 'leading');
      expect(await answer()).toBe(false);
      expect(b.engine.status().state).toBe('leading');
    });
  });

  it('a fault stops the projection at its event; who cannot come past does not stand in the way', async () => {
    const refuses = 'CustomerDeleted';
    const a = await start('a', { refuses });
    const good = await log.record(...sights(3));
    await reach(good, a);
    const more = await log.record(...sights(2));
    const bad = await log.record(...sights(1, refuses));
    const last = await log.record(...sights(3));
    await until('a stops', () => a.engine.status().state === 'faulted');
    const fault = { position: bad, type: refuses, code: 'projector_failed', message: 'not with me' };
    expect(a.engine.status()).toMatchObject({ handled: more, fault, faults: 1 });
    expect(a.faults).toEqual([fault]);
    expect((await tally()).positions).toEqual(upTo(more));

    const b = await start('b', { refuses });
    await until('b has tried', () => b.faults.length > 0);
    expect(b.engine.status()).toMatchObject({ state: 'faulted', handled: more, fault });
    await until('nobody leads', async () => (await log.leader()) === undefined);

    const c = await start('c');
    await reach(last, a, b, c);
    expect(c.engine.status()).toMatchObject({ state: 'leading', fault: null });
    expect(a.engine.status()).toMatchObject({ state: 'standby', fault: null });
    expect(b.engine.status()).toMatchObject({ state: 'standby', fault: null });
    expect([a.projector.refusals, b.projector.refusals]).toEqual([1, 1]);
    expect((await tally()).positions).toEqual(upTo(last));
  });

  it('a session that cannot listen leaves no connection behind', async () => {
    const proxy = await cuttingProxy(log.url, (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('listen', 'lusten'), 'latin1'),
    );
    closers.push(() => proxy.close());
    const hooks = { onNotification: () => undefined, onLost: () => undefined };
    await expect(
      LeaderElection.open(proxy.url, { projection: 'tally', lead: 'live' }, hooks),
    ).rejects.toMatchObject({ code: '42601' });
    await until('the session is gone', async () => {
      const { rows } = await log.pool.query(
        `select from pg_stat_activity
         where application_name = 'tenure tally projection' and datname = current_database()`,
      );
      return rows.length === 0;
    });
  });
});
