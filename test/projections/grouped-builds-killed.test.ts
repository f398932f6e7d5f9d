import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type pg from 'pg';
import type { Position } from '../../src/events/stored-event.js';
import { begunBuild } from '../support/begun-build.js';
import { compiled } from '../support/compiled.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';
import { setDownTables, WatchedGroups } from '../support/watched-groups.js';

const USERS = Array.from({ length: 20 }, (_, n) => `user ${n}`);
const NOW = { now: () => at(day(9)), patienceMs: 20_000 };

describe('A build by groups whose process is killed between two of them', () => {
  let log: ProjectedLog;
  let child: ChildProcess | undefined;
  let wall: pg.PoolClient | undefined;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    wall?.release(true);
    await log.close();
  });

  /** The places of the checkpoint, and of the last groups that are written, counted from 1; 0: none. */
  async function stretchOf(generation: number): Promise<{ handled: number; through: number }> {
    const { rows } = await log.pool.query(
      `select handled::text, stretch::json->>'through' as through
       from tenure.projection_checkpoint where generation = $1`,
      [generation],
    );
    const [handled = 0, through = 0] = await places([rows[0].handled, rows[0].through]);
    return { handled, through };
  }

  async function places(positions: readonly (Position | null)[]): Promise<readonly number[]> {
    const { events } = await log.store.readAll(null, 1_000);
    const all = [null, ...events.map(({ position }) => position)];
    return positions.map((position) => all.indexOf(position));
  }

  it('has lost the group at hand and no other, and whoever comes next goes on after those that are written', async () => {
    const last = await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...[1, 2].flatMap((turn) =>
        USERS.map((userId, n) =>
          sightOf(String(n), day(turn) + n, { userId, status: turn === 1 ? 'active' : 'past_due' }),
        ),
      ),
    );
    const first = await log.start('first', NOW);
    await first.reaches(last);
    await first.stop();
    const generation = await begunBuild(log.pool);
    // In the way of the sixth chunk of two users.
    wall = await openTransaction(log.pool);
    await wall.query(
      `insert into tenure.revocation_version select $1, user_id, counter, raised_at
       from tenure.revocation_version where generation = 1 and user_id = 'user 10'`,
      [generation],
    );
    const stores = [log.url, ...(log.eventStoreUrl === null ? [] : [log.eventStoreUrl])];
    child = spawn(process.execPath, [compiled('test/support/building.process.ts'), ...stores], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    await until('five chunks are written', async () => (await stretchOf(generation)).through === 11);
    await until('the sixth waits', async () => (await waiting()) === 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await wall.query('rollback');
    await until('the session is gone', async () => (await waiting()) === 0);
    expect(await stretchOf(generation)).toEqual({ handled: 1, through: 11 });

    const store = new WatchedGroups(log);
    const next = await log.start('next', { ...NOW, store, leastByGroups: 1, buildBatchSize: 4 });
    await next.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await places(store.asked[0] ?? [])).toEqual([12, 13, 32, 33]);
    expect(store.asked.flat()).toHaveLength(20);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
    await until('nothing is set down any more', async () => (await setDownTables(log.pool)).length === 0);
    expect(await stretchOf(generation)).toEqual({ handled: 2 * USERS.length + 1, through: 0 });
  });

  /** Sessions that wait for a lock. */
  async function waiting(): Promise<number> {
    const { rows } = await log.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length;
  }
});
