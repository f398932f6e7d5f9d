import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { until } from '../../test/support/until.js';
import type { Database } from '../database/database.js';
import { openServiceDatabase } from '../start/service-database.js';
import type { Principal } from './authenticator.js';
import { mintKey } from './keys/api-key.js';
import { ApiKeyRepository } from './keys/api-key.repository.js';
import { LastUse } from './keys/last-use.js';
import { StoredKeyAuthenticator } from './stored-key.authenticator.js';

describe('A stored key', () => {
  let test: TestDatabase;
  let database: Database;
  let apiKeys: ApiKeyRepository;
  beforeAll(async () => {
    test = await testDatabase();
    database = await openServiceDatabase({
      url: test.url,
      eventStoreUrl: null,
      onIdleFault: () => undefined,
    });
    apiKeys = new ApiKeyRepository(database.source);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  /** An authenticator on a clock of the test's, which counts its statements and may be kept from the database. */
  function underHand() {
    const hand = { now: 0, statements: 0, answered: 0, away: false, noted: [] as string[] };
    const query = async (...given: unknown[]): Promise<unknown> => {
      hand.statements += 1;
      if (hand.away) throw new Error('Connection terminated unexpectedly');
      const answer: unknown = await Reflect.apply(database.pool.query, database.pool, given);
      hand.answered += 1;
      return answer;
    };
    const pool = Object.assign(Object.create(database.pool), { query });
    const lastUse = { note: (id: string) => hand.noted.push(id) };
    const authenticator = new StoredKeyAuthenticator(pool, lastUse, () => hand.now);
    return { hand, authenticate: (token: string) => authenticator.authenticate(token) };
  }

  it('has its scopes and its name in the log, and is known at once for half a second', async () => {
    const { key, listing } = await apiKeys.create('shop', new Set(['checkout', 'audit']));
    const { hand, authenticate } = underHand();
    const principal: Principal = {
      kind: 'key',
      actor: `key:${listing.id}`,
      name: listing.name,
      scopes: new Set(['audit', 'checkout']),
    };
    expect(await authenticate(key)).toEqual(principal);
    hand.now = 499;
    expect(authenticate(key)).toEqual(principal); // no promise: nothing is waited for
    expect(hand.statements).toBe(1);
    expect(hand.noted).toEqual([listing.id, listing.id]);
  });

  it('in use is confirmed behind the replies, so that a steady reader never waits', async () => {
    const { key } = await apiKeys.create('steady', new Set(['ops']));
    const { hand, authenticate } = underHand();
    await authenticate(key);
    for (let n = 1; n <= 20; n += 1) {
      hand.now = n * 600;
      expect(authenticate(key)).not.toBeInstanceOf(Promise);
      // Who asks before the answer is in asks with a statement more: it is waited for, however slow it is.
      await until('the answer of the confirmation', () => hand.answered === n + 1);
      hand.now = n * 600 + 499;
      expect(authenticate(key)).not.toBeInstanceOf(Promise);
      expect(hand.statements).toBe(n + 1);
    }
  });

  it('that is revoked is refused a second after at the latest, counted from when it was last looked for', async () => {
    const { key, listing } = await apiKeys.create('gone', new Set(['ops']));
    const { hand, authenticate } = underHand();
    await authenticate(key);
    expect(await apiKeys.revoke(listing.id)).toBe('revoked');
    hand.now = 999;
    hand.away = true; // no confirmation comes through, as on an instance cut off
    expect(authenticate(key)).toMatchObject({ actor: `key:${listing.id}` });
    hand.now = 1_000;
    await expect(authenticate(key)).rejects.toThrow('Connection terminated');
    hand.away = false;
    expect(await authenticate(key)).toBeNull();
    expect(await authenticate(key)).toBeNull();
  });

  it('that was just made is let in where it was refused a moment ago', async () => {
    const { hand, authenticate } = underHand();
    const { id, key, hash } = mintKey();
    expect(await authenticate(key)).toBeNull();
    await test.pool.query(
      `insert into tenure.api_key (id, hash, name, scopes, created_at) values ($1, $2, 'x', '{ops,dance}', now())`,
      [id, hash],
    );
    const found = authenticate(key);
    expect(await found).toEqual({ kind: 'key', actor: `key:${id}`, name: 'x', scopes: new Set(['ops']) });
    expect(hand.statements).toBe(2);
  });

  it.each([
    '',
    'tenure_',
    'x',
    `tenure_${'a'.repeat(42)}`,
    `tenure_${'a'.repeat(44)}`,
    `tenure_${'é'.repeat(43)}`,
  ])('is not "%s", which is refused without a look', (token) => {
    const { hand, authenticate } = underHand();
    expect(authenticate(token)).toBeNull();
    expect(hand.statements).toBe(0);
  });

  it('is found among guesses that go out together, one statement at a time', async () => {
    const { key } = await apiKeys.create('crowd', new Set(['ops']));
    const { hand, authenticate } = underHand();
    const guesses = Array.from({ length: 300 }, () => authenticate(mintKey().key));
    const found = await authenticate(key);
    expect(found).not.toBeNull();
    expect(await Promise.all(guesses)).toEqual(guesses.map(() => null));
    expect(hand.statements).toBeLessThanOrEqual(2);
  });
});

describe('The last use of a key', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await testDatabase();
    database = await openServiceDatabase({
      url: test.url,
      eventStoreUrl: null,
      onIdleFault: () => undefined,
    });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('is written now and then, the latest of all instances, and not lost while the database is away', async () => {
    const apiKeys = new ApiKeyRepository(database.source);
    const { listing } = await apiKeys.create('used', new Set(['ops']));
    const lastUsed = async () => (await apiKeys.list())[0]?.lastUsedAt?.getTime() ?? null;
    const troubles: unknown[] = [];
    const [one, two] = [1, 2].map(() => new LastUse(database.pool, (error) => troubles.push(error)));
    one?.note(listing.id, 5_000);
    two?.note(listing.id, 3_000);
    expect(await lastUsed()).toBeNull();
    await one?.write();
    await two?.close();
    expect(await lastUsed()).toBe(5_000);
    await test.pool.query('alter table tenure.api_key rename to away');
    one?.note(listing.id, 9_000);
    await one?.write();
    expect(troubles).toHaveLength(1);
    await test.pool.query('alter table tenure.away rename to api_key');
    await one?.close();
    expect(await lastUsed()).toBe(9_000);
  });

  it('that is being written when a process ends is waited for, and written again where that fails', async () => {
    const { listing } = await new ApiKeyRepository(database.source).create('ends', new Set(['ops']));
    const troubles: unknown[] = [];
    const use = new LastUse(database.pool, (error) => troubles.push(error));
    const waiting = `select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%last_used_at%'`;
    const pids = async () => (await test.pool.query<{ pid: number }>(waiting)).rows.map(({ pid }) => pid);
    const other = await test.pool.connect();
    await other.query('begin');
    await other.query('lock table tenure.api_key in exclusive mode');
    use.note(listing.id, 7_000);
    void use.write();
    const closing = use.close();
    await until('the write waits', async () => (await pids()).length === 1);
    await test.pool.query('select pg_cancel_backend($1)', await pids());
    await until('the write failed', () => troubles.length === 1);
    await other.query('commit');
    other.release();
    await closing;
    const { rows } = await test.pool.query('select last_used_at from tenure.api_key where id = $1', [
      listing.id,
    ]);
    expect(rows[0]?.last_used_at?.getTime()).toBe(7_000);
  });
});
