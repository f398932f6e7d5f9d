import pg from 'pg';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.js';
import { openServiceDatabase } from '../../start/service-database.js';
import { Reply } from '../reply.js';
import { type Claim, KeptReplies } from './kept-replies.js';

describe('Replies to requests that may be repeated', () => {
  let test: TestDatabase;
  const open: KeptReplies[] = [];
  const troubles: unknown[] = [];
  beforeAll(async () => {
    test = await testDatabase();
    const { url } = test;
    const onIdleFault = (error: Error): void => void troubles.push(error);
    await (await openServiceDatabase({ url, eventStoreUrl: null, onIdleFault })).close();
  });
  afterEach(async () => {
    for (const replies of open.splice(0)) await replies.onModuleDestroy();
    await test.pool.query('truncate tenure.idempotency_key');
  });
  afterAll(() => test.drop());

  /** As one instance has them. */
  function instance(pool: pg.Pool = test.pool): KeptReplies {
    const replies = new KeptReplies(pool, (error) => troubles.push(error));
    open.push(replies);
    return replies;
  }

  async function claimed(replies: KeptReplies, fingerprint = 'bytes'): Promise<Claim> {
    const found = await replies.claim('id', fingerprint);
    if (found.outcome !== 'claimed') throw new Error(`not claimed: ${found.outcome}`);
    return found.claim;
  }

  /** Times are kept to the millisecond, the next one as well as the last. */
  const older = (pool: pg.Pool, column: string, age: string) =>
    pool.query(`update tenure.idempotency_key set ${column} = ${column} - interval '${age}'`);

  /** Does `work` on a database whose clock stands still: the one session of a pool, in a transaction. */
  async function whileNoTimePasses(work: (pool: pg.Pool) => Promise<void>): Promise<void> {
    const pool = new pg.Pool({ connectionString: test.url, max: 1, idleTimeoutMillis: 0 });
    try {
      await pool.query('begin');
      await work(pool);
      await pool.query('commit');
    } finally {
      await pool.end();
    }
  }

  const reply = new Reply(202, { 'content-type': 'application/json', location: '/there' }, '{"é":1}');

  it('are given again by every instance, to the same bytes alone', async () => {
    const [one, two] = [instance(), instance()];
    const claim = await claimed(one);
    expect(await two.claim('id', 'bytes')).toEqual({ outcome: 'in_use' });
    expect(await two.claim('id', 'others')).toEqual({ outcome: 'reused' });
    await one.keep(claim, reply);
    expect(await two.claim('id', 'bytes')).toEqual({ outcome: 'kept', reply });
    expect(await two.claim('id', 'others')).toEqual({ outcome: 'reused' });
    expect(await two.claim('another', 'bytes')).toMatchObject({ outcome: 'claimed' });
  });

  it('are one, however many ask at the same time', async () => {
    const instances = [instance(), instance()];
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, n) => instances[n % 2]?.claim('id', 'bytes')),
    );
    expect(found.filter((each) => each?.outcome === 'claimed')).toHaveLength(1);
    expect(found.filter((each) => each?.outcome === 'in_use')).toHaveLength(19);
  });

  it('that are not kept let a repeat do it again', async () => {
    const replies = instance();
    await replies.release(await claimed(replies));
    await claimed(replies, 'other bytes');
  });

  it('are waited for while their instance says that it is there, and taken over a minute after', () =>
    whileNoTimePasses(async (pool) => {
      const [gone, other] = [instance(pool), instance(pool)];
      const claim = await claimed(gone);
      await older(pool, 'renewed_at', '59 seconds');
      expect(await other.claim('id', 'bytes')).toEqual({ outcome: 'in_use' });
      await gone.renew();
      await older(pool, 'renewed_at', '59 seconds');
      expect(await other.claim('id', 'bytes')).toEqual({ outcome: 'in_use' });
      await older(pool, 'renewed_at', '1.001 seconds');
      expect(await other.claim('id', 'others')).toEqual({ outcome: 'reused' });
      const taken = await claimed(other);
      await gone.keep(claim, new Reply(500, {}, 'late'));
      expect(await gone.claim('id', 'bytes')).toEqual({ outcome: 'in_use' });
      await other.keep(taken, reply);
      expect(await gone.claim('id', 'bytes')).toEqual({ outcome: 'kept', reply });
    }));

  it('are forgotten after 24 hours, and dropped', () =>
    whileNoTimePasses(async (pool) => {
      const replies = instance(pool);
      await replies.keep(await claimed(replies), reply);
      await older(pool, 'begun_at', '23:59:59');
      await replies.dropOld();
      expect(await replies.claim('id', 'others')).toEqual({ outcome: 'reused' });
      await older(pool, 'begun_at', '1.001 seconds');
      await replies.keep(await claimed(replies, 'others'), reply);
      await older(pool, 'begun_at', '24:00:00.001');
      await replies.dropOld();
      const { rows } = await pool.query('select id from tenure.idempotency_key');
      expect(rows).toEqual([]);
    }));

  it('are kept behind the answer when the database is away at that moment', async () => {
    const away = new pg.Pool({ connectionString: test.url });
    const replies = instance(away);
    const claim = await claimed(replies);
    await test.pool.query('alter table tenure.idempotency_key rename to away');
    await replies.keep(claim, reply);
    expect(troubles.splice(0)).toHaveLength(1);
    await test.pool.query('alter table tenure.away rename to idempotency_key');
    expect(await instance().claim('id', 'bytes')).toEqual({ outcome: 'in_use' });
    await replies.renew();
    expect(await instance().claim('id', 'bytes')).toEqual({ outcome: 'kept', reply });
    await away.end();
  });
});
