import type { PoolClient } from 'pg';
import { inTransaction } from '../../src/database/in-transaction.js';
import type { DueWork, NewWork } from '../../src/reactions/reaction.js';
import { endTries, promote, takeDue, writeWork } from '../../src/reactions/work-store.js';
import { ProjectedLog } from '../support/projected-log.js';

const REACTION = 'webhooks';

describe('Work of a reaction', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  it('is read at most a few times over, though PostgreSQL takes the table of work for an empty one', async () => {
    const write = (lane: string, count: number): Promise<unknown> =>
      log.pool.query(
        `insert into tenure.reaction_work (id, reaction, lane, "group", payload, due_at)
         select gen_random_uuid(), 'webhooks', $1 || n, 'all', '""', now() from generate_series(1, $2::int) n`,
        [lane, count],
      );
    await write('before', 2_000);
    await log.pool.query(
      'delete from tenure.reaction_work where seq < (select max(seq) from tenure.reaction_work)',
    );
    await log.pool.query('vacuum analyze tenure.reaction_work');
    await write('waits', 1_000);
    const readSoFar = async (client: PoolClient): Promise<number> => {
      const { rows } = await client.query<{ read: number }>(
        `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read
         from pg_stat_xact_user_tables where relid = 'tenure.reaction_work'::regclass`,
      );
      return rows[0]?.read ?? 0;
    };
    const readBy = (work: (client: PoolClient) => Promise<unknown>): Promise<number> =>
      inTransaction(log.pool, async (client) => {
        const before = await readSoFar(client);
        await work(client);
        return (await readSoFar(client)) - before;
      });
    const lanes = Array.from({ length: 300 }, (_, i) => `new${i}`);
    const work = lanes.map((lane) => ({ key: lane, lane, group: 'other', payload: '' }));
    expect(await readBy((client) => writeWork(client, REACTION, work))).toBeLessThan(5_000);
    expect(await readBy((client) => promote(client, REACTION, lanes))).toBeLessThan(5_000);
    const few = { underWay: [], held: [], perGroup: 8, inAll: 16 };
    let taken: readonly DueWork[] = [];
    expect(
      await readBy(async (client) => {
        taken = await takeDue(client, REACTION, few);
      }),
    ).toBeLessThan(100);
    expect(taken.map(({ group }) => group).sort()).toEqual(['all', 'other'].flatMap((g) => Array(8).fill(g)));
  });

  it('becomes due behind what was written before, and where that was given up', async () => {
    const workOf = (key: string): NewWork => ({ key, lane: 'ann', group: 'all', payload: key });
    const write = (...keys: readonly string[]): Promise<void> =>
      inTransaction(log.pool, (client) => writeWork(client, REACTION, keys.map(workOf)));
    const due = async (): Promise<readonly DueWork[]> =>
      takeDue(log.pool, REACTION, { underWay: [], held: [], perGroup: 8, inAll: 8 });
    await write('first');
    const first = await due();
    expect(first.map(({ payload }) => payload)).toEqual(['first']);
    await write('second');
    expect(await due()).toEqual(first);
    for (const work of first) {
      await endTries(log.pool, REACTION, [{ work, end: { outcome: 'dead', why: 'never' } }]);
    }
    const second = await due();
    expect(second.map(({ payload }) => payload)).toEqual(['second']);
    for (const work of second) await endTries(log.pool, REACTION, [{ work, end: { outcome: 'done' } }]);
    expect(await due()).toEqual([]);
    await write('first', 'third');
    expect((await due()).map(({ payload }) => payload)).toEqual(['third']);
  });
});
