import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { openServiceDatabase } from '../start/service-database.js';
import { DeliveryHeartbeat } from './delivery-heartbeat.js';

describe('When Stripe last delivered', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    writes = 0;
    database = await testDatabase();
    const opened = await openServiceDatabase({
      url: database.url,
      eventStoreUrl: null,
      onIdleFault: (error) => {
        throw error;
      },
    });
    await opened.close();
  });
  afterEach(() => database.drop());

  /** Milliseconds on the clock of every instance. */
  let now = 0;
  let writes: number;
  const heartbeat = (troubles: unknown[] = []) =>
    new DeliveryHeartbeat(
      {
        query: (text: string) => {
          if (text.startsWith('insert')) writes += 1;
          return database.pool.query(text);
        },
      },
      (error) => troubles.push(error),
      () => now,
    );

  /** How long ago the database says it was, in whole hours; `null` when it says nothing. */
  async function hoursNoted(): Promise<number | null> {
    const { rows } = await database.pool.query<{ hours: number }>(
      'select round(extract(epoch from now() - received_at) / 3600)::int as hours from tenure.webhook_contact',
    );
    return rows[0]?.hours ?? null;
  }

  /** As if this instance had started, and the last delivery been noted, so many hours ago. */
  async function asIf(hours: {
    readonly started: number;
    readonly noted: number;
  }): Promise<DeliveryHeartbeat> {
    const made = heartbeat();
    now += hours.started * 3_600_000;
    await database.pool.query(
      `insert into tenure.webhook_contact values (1, now() - make_interval(hours => $1))`,
      [hours.noted],
    );
    return made;
  }

  it('is not before the start of the instance: one that was just started has not listened for long', async () => {
    const made = await asIf({ started: 0, noted: 5 });
    expect(await made.silentSeconds()).toBeLessThan(3_600);
    const alone = heartbeat();
    expect(await alone.silentSeconds()).toBeLessThan(3_600);
  });

  it('counts what other instances received', async () => {
    const long = await asIf({ started: 9, noted: 5 });
    expect(Math.round((await long.silentSeconds()) / 3_600)).toBe(5);
    const other = heartbeat();
    other.note();
    await other.close();
    expect(await hoursNoted()).toBe(0);
    expect(await long.silentSeconds()).toBeLessThan(3_600);
  });

  it('is known at once where it came, and written once for many, never back', async () => {
    const made = await asIf({ started: 9, noted: 5 });
    for (let n = 0; n < 100; n += 1) made.note();
    expect(await made.silentSeconds()).toBeLessThan(3_600);
    await made.close();
    now += 9_000;
    made.note();
    await made.close();
    expect(writes).toBe(1);
    now += 2_000;
    made.note();
    await made.close();
    expect(writes).toBe(2);
    await database.pool.query(`update tenure.webhook_contact set received_at = now() + interval '2 hours'`);
    const another = heartbeat();
    another.note();
    await another.close();
    expect(await hoursNoted()).toBe(-2);
    expect(await another.silentSeconds()).toBe(0);
  });

  it('holds up no delivery when it cannot be written', async () => {
    await database.pool.query('drop table tenure.webhook_contact');
    const troubles: unknown[] = [];
    const made = heartbeat(troubles);
    made.note();
    await made.close();
    expect(troubles).toEqual([expect.objectContaining({ code: '42P01' })]);
  });
});
