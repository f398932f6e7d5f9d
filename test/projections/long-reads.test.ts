import pg from 'pg';
import { judge } from '../../src/policy/judge.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = Array.from({ length: 40 }, (_, n) => `user ${n}`);
const EVENTS = USERS.length + 1;
const FEW = 7;

const WITH_API: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, _, now) => judge(facts, twoPlans({ free: 'reports', plus: 'api' }), now),
};

describe('A read of the whole history that is open while generations are built and swapped', () => {
  let log: ProjectedLog;
  let reader: pg.Client;
  let instance: Instance;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...USERS.map((userId, n) => sightOf(String(n), day(0), { userId })),
    );
    const first = await log.start('first', { rules: RUNNING_RULES });
    await first.reaches(String(EVENTS));
    await first.stop();
    const ahead = at(day(1)) - Date.now();
    instance = await log.start('a', { rules: WITH_API, now: () => Date.now() + ahead });
    reader = new pg.Client({ connectionString: log.url });
    await reader.connect();
  });
  afterEach(async () => {
    await reader.end();
    await log.close();
  });

  /** Users, and what each is given by the rows that were read: one feature each, or generations are mixed. */
  function featuresOf(
    rows: readonly { user_id: string; snapshot: string }[],
  ): readonly [number, ...string[]] {
    const features = new Set(rows.map(({ snapshot }) => JSON.parse(snapshot).features.join()));
    return [new Set(rows.map(({ user_id: userId }) => userId)).size, ...features];
  }

  it('page by page is of one of them to its end, and neither it nor the rebuild waits', async () => {
    await reader.query('begin isolation level repeatable read');
    await reader.query(
      `declare audit no scroll cursor for
         select user_id, snapshot from tenure.entitlement_history
         where generation = (select generation from tenure.live_generation) order by user_id, seq`,
    );
    const pages = [(await reader.query(`fetch ${FEW} from audit`)).rows];
    const generation = await instance.rebuilds.begin(OPS);
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    pages.push((await reader.query(`fetch ${FEW} from audit`)).rows);
    expect(await instance.rebuilds.swap(generation, OPS)).toMatchObject({ changed: USERS.length });
    for (let rows = pages.at(-1); rows !== undefined && rows.length > 0; ) {
      rows = (await reader.query(`fetch ${FEW} from audit`)).rows;
      pages.push(rows);
      await instance.reaches(
        await log.record(sightOf('0', day(1) + pages.length, { userId: 'user 0', status: 'past_due' })),
      );
    }
    expect(featuresOf(pages.flat())).toEqual([USERS.length, 'export,reports']);
    await reader.query('commit');
    expect((await instance.rebuilds.rollBack(OPS)).changed).toBe(USERS.length - 1);
  });

  it('table by table, as a dump does it, holds up no rebuild, swap, roll-back or fold, and sees none of them', async () => {
    const names = await log.pool.query<{ name: string }>(
      `select quote_ident(relname) as name from pg_class
       where relnamespace = 'tenure'::regnamespace and relkind in ('r', 'p') order by 1`,
    );
    const dump = async (): Promise<readonly unknown[]> => {
      const tables: unknown[] = [];
      for (const { name } of names.rows) {
        tables.push([
          name,
          (await reader.query(`select t::text as row from tenure.${name} t order by 1`)).rows,
        ]);
      }
      return tables;
    };
    await reader.query('begin isolation level repeatable read');
    for (const { name } of names.rows) await reader.query(`lock table tenure.${name} in access share mode`);
    const before = await dump();
    const report = await instance.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(report.changed).toBe(USERS.length);
    const last = await log.record(sightOf('0', day(1), { userId: 'user 0', status: 'canceled' }));
    await instance.reaches(last);
    expect(await instance.rebuilds.rollBack(OPS)).toMatchObject({ changed: USERS.length - 1 });
    expect(await dump()).toEqual(before);
    await reader.query('commit');
    expect(await dump()).not.toEqual(before);
  });
});
