import type { Pool } from 'pg';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { serviceTables } from '../../test/support/stores.js';
import { until } from '../../test/support/until.js';
import { ErasureWatch } from './erasure-watch.js';
import { KeyedHashes } from './keyed-hashes.js';
import { type Pair, PairsRepository } from './pairs.repository.js';
import { isErasedMark, isPseudonym } from './pseudonym.js';
import { Pseudonyms } from './pseudonyms.js';

const hashes = new KeyedHashes(Buffer.alloc(32, 7));
const LATER = Date.parse('2099-01-01T00:00:00Z');

/** Pairs of which answers may be held, each until what stands here is called, as those of a slow database. */
class HeldPairs extends PairsRepository {
  held: (() => void)[] | null = null;

  override async erasures(): Promise<string> {
    return this.#later(await super.erasures());
  }

  override async findByPseudonym(pseudonyms: readonly string[]): Promise<readonly Pair[]> {
    return this.#later(await super.findByPseudonym(pseudonyms));
  }

  async #later<Answer>(answer: Answer): Promise<Answer> {
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    return answer;
  }
}

describe('Pseudonyms', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testDatabase(serviceTables());
  });
  beforeEach(async () => {
    await test.pool.query(
      'truncate tenure.pseudonym, tenure.erased_user, tenure.erased_claim, tenure.pseudonym_key',
    );
    await test.pool.query(
      `insert into tenure.pseudonym_key (id, secret, created_at) values ('v1', '', now())`,
    );
  });
  afterAll(() => test.drop());

  /** As one instance has them. */
  function instance(pool: Pool = test.pool, userIdPattern: RegExp | null = null): Pseudonyms {
    return new Pseudonyms({ pairs: new PairsRepository(pool), hashes, userIdPattern });
  }

  const rows = async () =>
    (await test.pool.query('select pseudonym, user_id from tenure.pseudonym order by pseudonym')).rows;

  it('are one for an id, however many instances meet it first at the same time', async () => {
    const instances = [instance(), instance(), instance()];
    const ids = ['u1', 'u2', 'u3', 'ü 4'];
    const found = await Promise.all(
      Array.from({ length: 30 }, (_, n) => (instances[n % 3] ?? instance()).storedOf([...ids].reverse())),
    );
    expect(new Set(found.map((each) => JSON.stringify(ids.map((id) => each.get(id))))).size).toBe(1);
    expect(await rows()).toHaveLength(ids.length);
    expect(ids.every((id) => isPseudonym(found[0]?.get(id) ?? ''))).toBe(true);
  });

  it('become the ids again in a text, wherever they are, and those of nobody stay', async () => {
    const [one, other] = [instance(), instance()];
    const stored = await one.storedOfOne('say "u1"');
    const nobody = `psn_${'0'.repeat(32)}`;
    const text = JSON.stringify({ userId: stored, at: `overrides-${stored}`, nobody });
    const shown = await other.reveal(text, (id) => JSON.stringify(id).slice(1, -1));
    expect(JSON.parse(shown)).toEqual({ userId: 'say "u1"', at: 'overrides-say "u1"', nobody });
    expect(other.revealNow(text)).toBeNull();
    expect(other.revealNow(stored)).toBe('say "u1"');
  });

  it('of a user who is erased here are not kept by what was asked before, whatever is answered first', async () => {
    const stored = await instance().storedOfOne('u1');
    const pairs = new HeldPairs(test.pool);
    const one = new Pseudonyms({ pairs, hashes, userIdPattern: null });
    await one.storedOfOne('u2');
    const held: (() => void)[] = [];
    pairs.held = held;
    const found = one.userIdsOf([stored]);
    await until('the pair is read', () => held.length === 1);
    await one.follow([]); // what is known of erasures is asked for anew
    const looked = one.userIdsOf([]);
    await until('erasures are counted', () => held.length === 2);
    await one.erase('u1', LATER);
    held[1]?.();
    await looked;
    held[0]?.();
    await found;
    pairs.held = null;
    expect([one.peek('u1'), one.revealNow(stored)]).toEqual([null, null]);
    expect(isErasedMark(await one.storedOfOne('u1'))).toBe(true);
  });

  it('are no user ids themselves, and the pattern says what else is none', () => {
    const any = instance();
    expect(['u1', ' ', 'a@b.example'].map((id) => any.isUserId(id))).toEqual([true, true, true]);
    const mark = `psx_${'0'.repeat(32)}`;
    expect(['', 'a\n', `psn_${'0'.repeat(32)}`, mark, 7].map((id) => any.isUserId(id))).not.toContain(true);
    expect(['u-1', 'v-1'].map((id) => instance(test.pool, /^u-\d$/u).isUserId(id))).toEqual([true, false]);
  });

  it('of an erased user are nobody’s for every instance, and the id has a mark until it is readmitted', async () => {
    const [one, other] = [instance(), instance()];
    const before = await one.storedOfOne('u1');
    await other.storedOfOne('u1');
    expect(await one.erase('u1', LATER)).toBe(before);
    expect(await rows()).toEqual([{ pseudonym: before, user_id: null }]);
    const mark = await one.storedOfOne('u1');
    expect(isErasedMark(mark)).toBe(true);
    expect(await one.reveal(`${before} ${mark}`)).toBe(`${before} u1`);
    const late = instance();
    expect([await late.storedOfOne('u1'), await late.reveal(before)]).toEqual([mark, before]);
    await until('the erasure is seen', async () => (await other.storedOfOne('u1')) === mark);

    const after = await one.readmit('u1', LATER);
    expect([isPseudonym(after), after === before]).toEqual([true, false]);
    expect(await late.reveal(`${before} ${after}`)).toBe(`${before} u1`);
    const pair = (await one.pairsOf(['u1'])).get('u1');
    expect(pair?.claimsFrom).toBe(LATER / 1_000 + 1);
  });

  it('are told to whoever waits for it once their users are erased, also just before, and of no others', async () => {
    const one = instance();
    const ids = ['u1', 'u2', 'u3', 'u4'];
    const stored = await one.storedOf(ids);
    const pseudonym = (id: string): string => stored.get(id) ?? '';
    await one.erase('u1', LATER);
    let questions = 0;
    const pairs = new PairsRepository(test.pool);
    const counted = {
      erasures: () => {
        questions += 1;
        return pairs.erasures();
      },
      findByPseudonym: (asked: readonly string[]) => pairs.findByPseudonym(asked),
    };
    const fault = (error: unknown): void => expect(error).toBeNull();
    const watch = new ErasureWatch({ pairs: counted, onTrouble: fault, lookMs: 5 });
    const told: string[] = [];
    const leave = ids.map((id) => watch.onErased(pseudonym(id), () => told.push(id)));
    await until('the one from before', () => told.length > 0);
    leave[3]?.();
    await one.erase('u4', LATER);
    await one.erase('u2', LATER);
    await until('the next', () => told.length > 1);
    const asked = questions;
    await until('more looks', () => questions > asked + 2);
    expect(told).toEqual(['u1', 'u2']);
    for (const each of leave) each();
  });

  it('are looked up again by whoever waits for an erasure when the database did not answer', async () => {
    const one = instance();
    const pseudonym = await one.storedOfOne('u1');
    await one.erase('u1', LATER);
    const pairs = new PairsRepository(test.pool);
    let faults = 0;
    const failing = {
      erasures: () => pairs.erasures(),
      findByPseudonym: (asked: readonly string[]) =>
        faults < 2 ? Promise.reject(new Error('away')) : pairs.findByPseudonym(asked),
    };
    const watch = new ErasureWatch({
      pairs: failing,
      onTrouble: () => {
        faults += 1;
      },
      lookMs: 5,
    });
    let isTold = false;
    watch.onErased(pseudonym, () => {
      isTold = true;
    });
    await until('it to be told', () => isTold);
    expect(faults).toBe(2);
  });

  it('are not made of an id while it is erased', async () => {
    const found = await Promise.all([
      instance().erase('u1', LATER),
      ...Array.from({ length: 8 }, () => instance().storedOfOne('u1')),
    ]);
    expect(found).toHaveLength(9);
    expect((await rows()).filter(({ user_id }) => user_id !== null)).toEqual([]);
    expect(isErasedMark(await instance().storedOfOne('u1'))).toBe(true);
  });

  it('from before the last erasure of their id are dropped when the log is followed, and no later ones', async () => {
    const one = instance();
    const [old, kept] = [await one.storedOfOne('old'), await one.storedOfOne('kept')];
    const erasures = (at: number) =>
      ['old', 'never here'].map((id) => ({ hash: hashes.ofUser(id), erasedAt: at, readmittedAt: null }));
    expect(await one.follow(erasures(Date.parse('2001-01-01T00:00:00Z')))).toBe(0);
    expect(await one.follow(erasures(LATER))).toBe(1);
    expect(await one.follow(erasures(LATER))).toBe(0);
    expect(await rows()).toEqual(
      [
        { pseudonym: old, user_id: null },
        { pseudonym: kept, user_id: 'kept' },
      ].sort((a, b) => (a.pseudonym < b.pseudonym ? -1 : 1)),
    );
    expect(isErasedMark(await one.storedOfOne('never here'))).toBe(true);
    const again = erasures(LATER).map((each) => ({ ...each, readmittedAt: LATER + 1_000 }));
    expect(await one.follow(again)).toBe(0);
    const anew = await one.storedOfOne('old');
    expect(await one.follow(again)).toBe(0);
    expect(await one.storedOfOne('old')).toBe(anew);
  });
});
