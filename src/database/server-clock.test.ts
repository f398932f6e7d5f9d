import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { until } from '../../test/support/until.js';
import { ClockDiffersError, ServerClock, type ServerClockOptions } from './server-clock.js';

const YEAR_MS = 365 * 86_400_000;

describe("A clock that is compared with the database server's", () => {
  let database: TestDatabase;
  let offMs: number;
  let told: string[];
  let clock: ServerClock;
  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    offMs = 0;
    told = [];
    clock = clockOn(database.pool);
  });
  afterEach(() => clock.stop());
  afterAll(() => database.drop());

  function clockOn(pool: ServerClockOptions['pool']): ServerClock {
    return new ServerClock({
      pool,
      now: () => Date.now() + offMs,
      onDiffers: ({ message }) => told.push(message.split(':')[0] ?? ''),
      onAgrees: () => told.push('agrees'),
    });
  }

  it.each([
    ['a year ahead', YEAR_MS, /^this machine's clock is 3153(59|60)\d\d s ahead of the database server's$/],
    ['an hour behind', -3_600_000, /^this machine's clock is 3(59|60)\d s behind the database server's$/],
  ])(
    '%s tells no time, from the moment it is set, and says so once; set right it tells the time',
    async (_, off, said) => {
      await clock.start();
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
      offMs = off;
      expect(() => clock.now()).toThrow(ClockDiffersError);
      expect(() => clock.now()).toThrow(ClockDiffersError);
      await clock.measure();
      expect(clock.differs).toBe(true);
      expect(told).toEqual([expect.stringMatching(said)]);
      offMs = 0;
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
      expect(told).toEqual([expect.stringMatching(said), 'agrees']);
    },
  );

  it('that was wrong before the start is found out by the first measurement', async () => {
    offMs = YEAR_MS;
    await clock.start();
    expect(clock.differs).toBe(true);
  });

  it('a few seconds apart are no matter', async () => {
    offMs = 25_000;
    await clock.start();
    expect(clock.differs).toBe(false);
  });

  it("is measured again at once when the process slept and the server's went on", async () => {
    let asleepMs = 0;
    const elsewhere: ServerClockOptions['pool'] = Object.create(database.pool, {
      query: { value: () => database.pool.query(`select ${Date.now() + asleepMs}::text as ms`) },
    });
    clock = clockOn(elsewhere);
    await clock.measure();
    asleepMs = 60_000;
    offMs = 60_000;
    await until('it is right again', () => !clock.differs);
  });
});
