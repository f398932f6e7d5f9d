import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { serviceTables } from '../../test/support/stores.js';
import { KeyedHashes } from './keyed-hashes.js';
import { PairsRepository } from './pairs.repository.js';
import { Pseudonyms } from './pseudonyms.js';
import { StripeIds } from './stripe-ids.js';

describe('User ids on their way to and from Stripe', () => {
  let test: TestDatabase;
  let pseudonyms: Pseudonyms;
  let erased: string[] = [];
  let ids: StripeIds;
  beforeAll(async () => {
    test = await testDatabase(serviceTables());
    await test.pool.query(
      `insert into tenure.pseudonym_key (id, secret, created_at) values ('v1', '', now())`,
    );
    const hashes = new KeyedHashes(Buffer.alloc(32, 7));
    const pairs = new PairsRepository(test.pool);
    pseudonyms = new Pseudonyms({ pairs, hashes, userIdPattern: /^u-\d+$/u });
    const onErasedClaims = (objects: readonly string[]): void => void erased.push(...objects);
    ids = new StripeIds({ pseudonyms, userIdKey: 'user_id', onErasedClaims });
  });
  beforeEach(() => {
    erased = [];
  });
  afterAll(() => test.drop());

  const session = (userId: string, more: object = {}) => ({
    id: 'cs_1',
    created: 1_000,
    client_reference_id: userId,
    metadata: { user_id: userId, cart: 'u-1' },
    ...more,
  });

  it('come in as pseudonyms from metadata and references, wherever they are nested, and go out as they were', async () => {
    const stored = await pseudonyms.storedOfOne('u-1');
    const event = {
      id: 'evt_1',
      data: {
        object: session('u-1', { customer: { id: 'cus_1', metadata: { user_id: 'u-1' } } }),
        previous_attributes: { metadata: { user_id: 'u-1' } },
      },
    };
    const inside = await ids.inwards(event);
    expect(inside).toEqual(
      JSON.parse(JSON.stringify(event).replace(/(user_id|client_reference_id)":"u-1/g, `$1":"${stored}`)),
    );
    expect(await ids.outwards(inside)).toEqual(event);
    expect(await ids.path(`/v1/customers/search?query=${stored}`)).toBe('/v1/customers/search?query=u-1');
    expect(await ids.inwards([{ data: [7, null, 'u-1'] }])).toEqual([{ data: [7, null, 'u-1'] }]);
  });

  it('are not looked for without end: what nests deeper than anything that is read comes in as it is', async () => {
    let deep: unknown = 'the bottom';
    for (let level = 0; level < 50_000; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
    const stored = await pseudonyms.storedOfOne('u-1');
    const inside = await ids.inwards(session('u-1', { deep }));
    expect(inside.client_reference_id).toBe(stored);
  });

  it('that the pattern does not fit, and what looks like a pseudonym, are left out', async () => {
    for (const none of ['a@b.example', `psn_${'0'.repeat(32)}`, `psx_${'0'.repeat(32)}`, '']) {
      expect(await ids.inwards(session(none))).toEqual({
        id: 'cs_1',
        created: 1_000,
        metadata: { cart: 'u-1' },
      });
    }
    expect(erased).toEqual([]);
  });

  it('of erased users are left out and told of, and of one who is back from before that', async () => {
    await pseudonyms.erase('u-2', Date.now());
    const nobody = { id: 'cs_1', created: 1_000, metadata: { cart: 'u-1' } };
    expect(await ids.inwards(session('u-2'))).toEqual(nobody);
    expect(erased.splice(0)).toEqual(['cs_1']);

    const stored = await pseudonyms.readmit('u-2', Date.now());
    expect(await ids.inwards(session('u-2'))).toEqual(nobody);
    expect(erased.splice(0)).toEqual(['cs_1']);
    const { created: _, ...undated } = nobody;
    expect(await ids.inwards(session('u-2', { created: undefined }))).toEqual({
      ...undated,
      created: undefined,
    });
    const created = Math.floor(Date.now() / 1_000) + 2;
    const event = { id: 'evt_1', created: 1, data: { object: session('u-2', { created }) } };
    expect(await ids.inwards(event)).toMatchObject({ data: { object: { client_reference_id: stored } } });
  });

  it('longer than Stripe takes as a reference go out in metadata alone', async () => {
    const long = new Pseudonyms({
      pairs: new PairsRepository(test.pool),
      hashes: pseudonyms.hashes,
      userIdPattern: null,
    });
    const userId = 'u'.repeat(201);
    const stored = await long.storedOfOne(userId);
    expect(await ids.outwards({ client_reference_id: stored, metadata: { user_id: stored } })).toEqual({
      metadata: { user_id: userId },
    });
  });
});
