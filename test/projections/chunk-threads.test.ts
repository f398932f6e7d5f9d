import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import type { MoreFolders } from '../../src/projections/rebuild/build-fold.js';
import {
  type ChunkPlace,
  threadedChunkFolders,
} from '../../src/projections/workers/threaded-chunk-folder.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { THREAD_FLAGS } from '../support/thread-flags.js';
import { until } from '../support/until.js';
import { type BeforeGiving, Gate, WatchedGroups } from '../support/watched-groups.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = Array.from({ length: 12 }, (_, n) => n);
const EVENTS = 1 + 2 * USERS.length;

/** A log that is read in its order alone. */
class InOrderAlone extends EventStoreDecorator {
  override get eventsAt(): undefined {
    return undefined;
  }
}

describe('A build whose groups are folded by several threads', () => {
  let log: ProjectedLog;
  let troubles: string[];
  beforeEach(async () => {
    troubles = [];
    log = await ProjectedLog.open('inside');
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...[1, 2].flatMap((turn) =>
        USERS.map((n) =>
          sightOf(String(n), day(turn) + n, {
            userId: `user ${n}`,
            status: (turn + n) % 3 === 0 ? 'past_due' : 'active',
          }),
        ),
      ),
    );
  });
  afterEach(() => log.close());

  /** Threads beside the test's own; `change` makes something else of what those of the first build are begun with. */
  function threads(
    count: number,
    change: Partial<ChunkPlace & { readonly nodeFlags: readonly string[] }> = {},
  ): MoreFolders {
    const place = {
      databaseUrl: `${log.url}?application_name=thread`,
      eventStoreUrl: null,
      streamPrefix: 'tenure.',
      faultLimit: 20,
      rebuildThreads: count + 1,
      tracing: null,
    };
    const onTrouble = (error: unknown): unknown => troubles.push(String(error));
    let changed = change;
    return (key, batchSize) => {
      const { nodeFlags = THREAD_FLAGS, key: otherKey = key, ...other } = changed;
      changed = {};
      return threadedChunkFolders({ ...place, ...other }, { nodeFlags, onTrouble })(otherKey, batchSize);
    };
  }

  /** An instance whose builds go by one user at a time. */
  async function start(
    moreFolders: MoreFolders,
    before?: BeforeGiving,
    of: EventStore = log.store,
  ): Promise<{ readonly instance: Instance; readonly store: WatchedGroups }> {
    const store = new WatchedGroups({ store: of, url: log.url }, before);
    const instance = await log.start('a', {
      store,
      moreFolders,
      leastByGroups: 1,
      buildBatchSize: 2,
      patienceMs: 20_000,
      now: () => at(day(9)),
    });
    await instance.reaches(String(EVENTS));
    return { instance, store };
  }

  async function built({ rebuilds }: Instance, generation: number): Promise<void> {
    await rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
    expect(troubles).toEqual([]);
  }

  it('has the rows that are read, each thread with the users whose turn was its own', async () => {
    const { instance, store } = await start(threads(2));
    await built(instance, await instance.rebuilds.begin(OPS));
    // Every third user was left to the thread that gives them out.
    expect(store.asked).toEqual(['2', '5', '8', '11'].map((first) => [first, String(Number(first) + 12)]));
  });

  it('has them also of a log that gives no events apart from one another, which its threads do not read', async () => {
    const elsewhere = threads(1, { eventStoreUrl: 'esdb://127.0.0.1:1' });
    const { instance, store } = await start(elsewhere, undefined, new InOrderAlone(log.store));
    await built(instance, await instance.rebuilds.begin(OPS));
    expect(store.asked).toHaveLength(USERS.length / 2);
  });

  it('shows nothing of a group before those that were given out before it are written', async () => {
    const gate = new Gate(0);
    const { instance } = await start(threads(1), gate.before);
    const generation = await instance.rebuilds.begin(OPS);
    const lastAskedAt = async (): Promise<number | undefined> => {
      const { rows } = await log.pool.query<{ readonly at: number }>(
        `select extract(epoch from query_start)::float8 as at from pg_stat_activity
         where datname = current_database() and application_name = 'thread'
           and state = 'idle in transaction' and backend_xid is not null`,
      );
      return rows[0]?.at;
    };
    const written = await until('the second is written and waits for its turn', lastAskedAt);
    await until('it asks for something, as it would be ended else', async () => {
      return ((await lastAskedAt()) ?? written) > written;
    });
    expect((await log.rowsOf(generation)).user_role).toEqual([]);
    gate.open();
    await built(instance, generation);
  });

  it('goes on from what is written when the sessions of a thread are ended in the middle', async () => {
    const gate = new Gate(2);
    const { instance } = await start(threads(1), gate.before);
    const generation = await instance.rebuilds.begin(OPS);
    await until('some are written', async () => (await log.rowsOf(generation)).user_role?.length === 4);
    await log.endSessions('thread');
    gate.open();
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
  });

  it('undoes what it wrote where somebody else has moved the build meanwhile', async () => {
    const gate = new Gate(2);
    let generation = 0;
    const usersSeen = async (): Promise<number> => ((await log.rowsOf(generation)).user_role ?? []).length;
    const seen: number[] = [];
    const { instance } = await start(threads(1), async (nth, positions) => {
      await gate.before(nth, positions);
      if (positions[0] === '6') seen.push(await usersSeen());
    });
    generation = await instance.rebuilds.begin(OPS);
    await until('some are written', async () => (await usersSeen()) === 4);
    await log.pool.query(
      'update tenure.projection_checkpoint set revision = revision + 1 where generation = $1',
      [generation],
    );
    gate.open();
    await built(instance, generation);
    expect(seen).toEqual([4, 4]);
  });

  it('goes on with other threads where one cannot begin', async () => {
    const { instance } = await start(threads(1, { nodeFlags: [] }));
    await built(instance, await instance.rebuilds.begin(OPS));
  });

  it('hears of every chunk that is given to a thread that has ended, also after its end, that it may pass', async () => {
    const key = { projection: 'entitlements', generation: 1 };
    const [folder] = threads(1, { nodeFlags: [] })(key, 2);
    const chunk = { through: '2', positions: ['2'], times: new Map([['2', 0]]) };
    const turn = {
      read: { revision: 1, handled: '1' },
      stretch: { until: '2', events: 1, through: null },
    };
    for (let given = 0; given < 2; given += 1) {
      await expect(folder?.take(chunk).commit(turn)).rejects.toMatchObject({ mayPass: true });
    }
    await folder?.stop();
  });

  it('goes on in the order of the log where one of them cannot go past a group', async () => {
    const { instance, store } = await start(
      threads(1, { key: { projection: 'entitlements', generation: 99 } }),
    );
    const generation = await instance.rebuilds.begin(OPS);
    await built(instance, generation);
    expect(store.asked.length).toBeLessThan(USERS.length / 2);
    const { rows } = await log.pool.query(
      'select stretch::json as stretch from tenure.projection_checkpoint where generation = $1',
      [generation],
    );
    expect(rows).toEqual([{ stretch: { inOrder: true } }]);
  });

  it('leaves no session of a thread behind when it is dropped in the middle', async () => {
    const gate = new Gate(1);
    const { instance } = await start(threads(1), gate.before);
    const generation = await instance.rebuilds.begin(OPS);
    const areThere = async (): Promise<number> => {
      const { rows } = await log.pool.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'thread'`,
      );
      return rows.length;
    };
    await until('a thread is at it', async () => (await areThere()) > 0);
    const dropping = instance.rebuilds.drop(generation);
    gate.open();
    await dropping;
    await until('it is gone', async () => (await areThere()) === 0);
    expect(troubles).toEqual([]);
  });
});
