import { createLocalJWKSet, type JWK, jwtVerify, SignJWT } from 'jose';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { serviceTables } from '../../test/support/stores.js';
import { SealedSecrets } from '../auth/sealed-secrets.js';
import { MOST_AGE_MS, SigningKeys } from './signing-keys.js';
import type { TokenAlgorithm } from './token-key.js';
import { AHEAD_MS } from './token-key.repository.js';

const ADMIN_KEY = 'an admin key of at least 32 characters';
const OTHER_KEY = 'another admin key of 32 characters or more';
const START = Date.parse('2026-11-01T00:00:00Z');
const MINUTE = 60_000;

describe('Signing keys', () => {
  let database: TestDatabase;
  let now: number;
  const troubles: unknown[] = [];
  beforeAll(async () => {
    database = await testDatabase(serviceTables());
  });
  beforeEach(async () => {
    now = START;
    await database.pool.query('delete from tenure.token_key');
  });
  afterAll(() => database.drop());

  /** A process that has not read any key yet. */
  function fresh(algorithm: TokenAlgorithm = 'EdDSA', adminKey = ADMIN_KEY): SigningKeys {
    const secrets = new SealedSecrets([adminKey]);
    const onTrouble = (error: unknown) => troubles.push(error);
    return new SigningKeys({
      pool: database.pool,
      secrets,
      algorithm,
      now: () => now,
      onTrouble,
      readEveryMs: 0,
    });
  }

  async function publishedKids(): Promise<readonly (string | undefined)[]> {
    return (await fresh().published()).map(({ kid }) => kid);
  }

  it('are made once, whoever asks first and at once, and kept sealed', async () => {
    const signing = await Promise.all(Array.from({ length: 4 }, () => fresh().signing()));
    expect(new Set(signing.map(({ kid }) => kid)).size).toBe(1);
    const { rows } = await database.pool.query('select to_jsonb(k)::text as whole from tenure.token_key k');
    expect(rows).toHaveLength(1);
    expect(rows[0].whole).not.toContain('\\"d\\"');
  });

  it.each(['EdDSA', 'ES256'] as const)('sign by %s what their published halves verify', async (algorithm) => {
    const keys = fresh(algorithm);
    const { kid, key } = await keys.signing();
    const token = await new SignJWT({ sub: 'u' }).setProtectedHeader({ alg: algorithm, kid }).sign(key);
    const set: JWK[] = [...(await keys.published())];
    for (const each of set) expect(Object.keys(each)).not.toContain('d');
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: set }));
    expect(payload).toEqual({ sub: 'u' });
  });

  it('get a successor once they are old, published before it signs, and stay until their last token ended', async () => {
    const first = await fresh().signing();
    now += MOST_AGE_MS - 1;
    expect(await publishedKids()).toEqual([first.kid]);
    now += 1;
    const both = await publishedKids();
    expect(both).toHaveLength(2);
    expect((await fresh().signing()).kid).toBe(first.kid);
    now += AHEAD_MS;
    const second = await fresh().signing();
    expect([first.kid, second.kid]).toEqual(both);
    now += 64 * MINUTE;
    expect(await publishedKids()).toEqual(both);
    now += MINUTE;
    expect(await publishedKids()).toEqual([second.kid]);
  });

  it('that TENURE_ADMIN_KEY does not open get a successor that signs at once, and are still published', async () => {
    const first = await fresh().signing();
    const second = await fresh('EdDSA', OTHER_KEY).signing();
    expect(second.kid).not.toBe(first.kid);
    expect(new Set(await publishedKids())).toEqual(new Set([first.kid, second.kid]));
    // Who has the old key alone goes on with it for a while.
    expect((await fresh().signing()).kid).toBe(first.kid);
  });

  it('are published while the database is away, and sign no more once they should be read again', async () => {
    const keys = fresh();
    const { kid } = await keys.signing();
    await database.pool.query('alter table tenure.token_key rename to token_key_away');
    try {
      const later = fresh();
      await expect(later.signing()).rejects.toThrow('token_key');
      await expect(later.published()).rejects.toThrow('token_key');
      expect((await keys.published()).map((key) => key.kid)).toEqual([kid]);
      expect(troubles).toHaveLength(1);
      await expect(keys.signing()).rejects.toThrow('token_key');
    } finally {
      await database.pool.query('alter table tenure.token_key_away rename to token_key');
    }
  });
});
