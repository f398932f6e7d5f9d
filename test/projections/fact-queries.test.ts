import { FactQueries } from '../../src/projections/entitlements/fact-queries.js';
import { ProjectedLog } from '../support/projected-log.js';
import { rowsRead } from '../support/rows-read.js';

const THINGS = 2_000;
const WITHOUT = Array.from({ length: 40 }, (_, n) => `unknown_${n}`);

/** Each has a row, as many as make it worth a while to look for forty by their keys. */
const ROWS = [
  `insert into tenure.subscription (generation, subscription, customer, owner)
   select 1, 's' || n, 'c' || n, 'u' || n from generate_series(1, $1) as n`,
  `insert into tenure.subscription_fact (generation, subscription, fact_id, kind, body)
   select 1, 's' || n, 'f', 'link', '"u"' from generate_series(1, $1) as n`,
  `insert into tenure.customer (generation, customer, owner, facts)
   select 1, 'c' || n, 'u' || n, '{}' from generate_series(1, $1) as n`,
  `insert into tenure.checkout (generation, session, customer, subscription, owner, purchase, facts)
   select 1, 'cs' || n, 'c' || n, 's' || n, 'u' || n, true, '{}' from generate_series(1, $1) as n`,
  `insert into tenure.payment (generation, payment, joined, warned, facts)
   select 1, 'p' || n, true, false, '[]' from generate_series(1, $1) as n`,
  `insert into tenure.payment_join (generation, kind, id, other_kind, other)
   select 1, kind, prefix || n, other_kind, other || n from generate_series(1, $1) as n, (values
     ('payment', 'p', 'payment', 'q'), ('payment', 'p', 'invoice', 'i'), ('payment', 'p', 'session', 'cs'),
     ('invoice', 'i', 'payment', 'p'), ('invoice', 'i', 'subscription', 's'),
     ('subscription', 's', 'payment', 'p'), ('session', 'cs', 'payment', 'p')
   ) as of (kind, prefix, other_kind, other)`,
];

describe('Facts in the database', () => {
  let log: ProjectedLog;
  beforeAll(async () => {
    log = await ProjectedLog.open();
    for (const text of ROWS) await log.pool.query(text, [THINGS]);
  });
  afterAll(async () => {
    await log.close();
  });

  it('come with the keys of what belongs to them, also of what has no row itself', async () => {
    const facts = new FactQueries(log.pool, 1);
    expect(await facts.subscriptions(['s7', 'unknown'])).toEqual([
      {
        ...{ subscription: 's7', customer: 'c7', owner: 'u7', conflicts: null, customer_deleted: false },
        ...{ sessions: ['cs7'], payments: ['p7'] },
      },
      {
        ...{ subscription: 'unknown', customer: null, owner: null, conflicts: null, customer_deleted: null },
        ...{ sessions: [], payments: [] },
      },
    ]);
    expect(await facts.customers(['c7'])).toMatchObject([{ subscriptions: ['s7'], sessions: ['cs7'] }]);
    expect(await facts.users(['u7'])).toMatchObject([
      { snapshot: null, subscriptions: ['s7'], purchases: ['cs7'], grants: [], overrides: [] },
    ]);
    expect(await facts.checkouts(['cs7', 'unknown'])).toMatchObject([{ session: 'cs7', payments: ['p7'] }]);
    expect(await facts.payments(['p7'])).toMatchObject([
      { joined: true, others: ['q7'], invoices: ['i7'], sessions: ['cs7'] },
    ]);
    expect(await facts.invoices(['i7'])).toEqual([
      { invoice: 'i7', payments: ['p7'], subscriptions: ['s7'] },
    ]);
  });

  it('are looked for by their keys alone, though the tables have no statistics yet', async () => {
    const read: [name: string, rows: number][] = [];
    const facts = new FactQueries(
      {
        query: async (statement) => {
          const {
            name = '',
            text,
            values = [],
          } = typeof statement === 'string' ? { text: statement } : statement;
          const { rows } = await log.pool.query(`explain (analyze, format json) ${text}`, values);
          read.push([name, rowsRead(rows[0]['QUERY PLAN'][0].Plan)]);
          return { rows: [] };
        },
      },
      1,
    );
    const some = (kind: string): string[] => [
      ...WITHOUT,
      ...Array.from({ length: 40 }, (_, n) => `${kind}${n}`),
    ];
    await facts.subscriptions(some('s'));
    await facts.factsOf(some('s'));
    await facts.customers(some('c'));
    await facts.checkouts(some('cs'));
    await facts.users(some('u'));
    await facts.byHand(some('u'));
    await facts.payments(some('p'));
    await facts.invoices(some('i'));
    expect(read).toHaveLength(8);
    // Of each of 40 its row, and of all the tables together four of what belongs to it.
    expect(read.filter(([, rows]) => rows > 5 * 40)).toEqual([]);
  });
});
