import { randomUUID } from 'node:crypto';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { dropGeneration } from '../../src/projections/rebuild/generation-table.js';
import {
  SetDownEvents,
  SetDownGoneError,
  setDownEventsAt,
} from '../../src/projections/rebuild/grouped/set-down-events.js';
import { begunBuild } from '../support/begun-build.js';
import { openTransaction } from '../support/open-transaction.js';
import { ProjectedLog } from '../support/projected-log.js';

const ENTITLEMENTS = 'entitlements';
const BEGINNING = { revision: 0 };

/** Texts that are not what a parser of JSON would write, and one that is far longer than a page of the database. */
const TEXTS = [
  '{}',
  '{"b":1,"a":1.0,"a":2}',
  ' {"n" : 12345678901234567890 , "nul":"\\u0000","quoted":"\\"\\\\"}\n',
  '{"é":"\\u00e9 é 𝄞 \\ud834\\udd1e","list":"{a,b}"}',
  JSON.stringify({ long: 'x'.repeat(50_000) }),
];

/** Far apart, up to the last one that is exact as a number. */
const POSITIONS = ['1', '17', '4294967296', '9007199254740990', '9007199254740991'];

const EVENTS: readonly StoredEvent[] = TEXTS.map((text, n) => ({
  id: randomUUID(),
  stream: `tenure.subscription-"sub", \\${n} é`,
  revision: n * 1_000_000_000_000,
  position: POSITIONS[n] ?? '',
  type: 'SubscriptionObserved',
  data: text,
  metadata: text,
}));

describe('Events that are set down while a stretch of the log is read', () => {
  let log: ProjectedLog;
  let generation: number;
  let setDown: SetDownEvents;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    generation = await begunBuild(log.pool);
    setDown = new SetDownEvents(log.pool, { projection: ENTITLEMENTS, generation });
  });
  afterEach(() => log.close());

  function found(positions: readonly string[]): Promise<readonly StoredEvent[]> {
    return setDownEventsAt(log.pool, generation, positions);
  }

  it('are found by any of their positions, in the order of the log, as they stand in it', async () => {
    await setDown.begin(BEGINNING);
    await setDown.take(EVENTS.slice(3));
    await setDown.take([]);
    await setDown.take(EVENTS.slice(0, 3));
    expect(await found(POSITIONS.toReversed())).toEqual(EVENTS);
    expect(await found(['17', '9007199254740991'])).toEqual([EVENTS[1], EVENTS[4]]);
    expect(await found([])).toEqual([]);
  });

  it('are there once where two set them down', async () => {
    await setDown.begin(BEGINNING);
    await setDown.take(EVENTS);
    await setDown.take(EVENTS.slice(1));
    expect(await found(POSITIONS)).toEqual(EVENTS);
  });

  it('are found all, or it is said that they are gone', async () => {
    await setDown.begin(BEGINNING);
    await setDown.take(EVENTS.slice(0, 4));
    await expect(found(POSITIONS)).rejects.toBeInstanceOf(SetDownGoneError);
    // As a crash of the database leaves it.
    await log.pool.query(`truncate tenure.set_down_event_g${generation}`);
    await expect(found(['1'])).rejects.toBeInstanceOf(SetDownGoneError);
    await setDown.clear();
    await expect(found(['1'])).rejects.toBeInstanceOf(SetDownGoneError);
    await expect(setDown.take(EVENTS)).rejects.toBeInstanceOf(SetDownGoneError);
  });

  it('are refused where a text has a character that stands between texts, instead of being set down in part', async () => {
    await setDown.begin(BEGINNING);
    const odd = EVENTS.map((event, n) => (n === 1 ? { ...event, metadata: '{"a":"\u0001"}' } : event));
    await expect(setDown.take(odd)).rejects.toThrow(/null value/);
    await expect(found(['1'])).rejects.toBeInstanceOf(SetDownGoneError);
  });

  it('are begun anew with none', async () => {
    await setDown.begin(BEGINNING);
    await setDown.take(EVENTS);
    await setDown.begin(BEGINNING);
    await expect(found(['1'])).rejects.toBeInstanceOf(SetDownGoneError);
    await setDown.take(EVENTS);
    expect(await found(POSITIONS)).toEqual(EVENTS);
  });

  it('are begun by nobody who is not where the fold is, and stay as they are then', async () => {
    await setDown.begin(BEGINNING);
    await setDown.take(EVENTS);
    await expect(setDown.begin({ revision: 1 })).rejects.toBeInstanceOf(SetDownGoneError);
    expect(await found(POSITIONS)).toEqual(EVENTS);
  });

  it('go with their generation, and are begun by nobody for one that is gone', async () => {
    await setDown.begin(BEGINNING);
    await dropGeneration(log.pool, ENTITLEMENTS, generation);
    expect(Object.keys(await log.rows()).filter((table) => table.startsWith('set_down'))).toEqual([]);
    await expect(setDown.begin(BEGINNING)).rejects.toBeInstanceOf(SetDownGoneError);
    await expect(found(['1'])).rejects.toBeInstanceOf(SetDownGoneError);
  });

  it('stay where somebody reads them just then, and go with the next stretch', async () => {
    await setDown.begin(BEGINNING);
    const dump = await openTransaction(log.pool);
    try {
      await dump.query(`select from tenure.set_down_event_g${generation}`);
      await setDown.clear();
      await dump.query('commit');
    } finally {
      dump.release();
    }
    expect(await found([])).toEqual([]);
    await setDown.begin(BEGINNING);
    await setDown.clear();
    await expect(found([])).rejects.toBeInstanceOf(SetDownGoneError);
  });

  it('take the place of those of the stretch before where somebody reads them, who goes on to see them', async () => {
    const left = EVENTS.map((event) => ({
      ...event,
      revision: 9,
      id: 'old',
      stream: '',
      type: '',
      data: '',
      metadata: '',
    }));
    await setDown.begin(BEGINNING);
    await setDown.take(left);
    const dump = await openTransaction(log.pool, 'repeatable read');
    const seen = async (): Promise<number> =>
      (await dump.query(`select from tenure.set_down_event_g${generation}`)).rows.length;
    try {
      expect(await seen()).toBe(EVENTS.length);
      await setDown.begin(BEGINNING);
      // None is deleted, which would take as long as there are many.
      expect(await found(POSITIONS)).toEqual(left);
      await setDown.take(EVENTS.slice(0, 2));
      expect(await found(POSITIONS)).toEqual([...EVENTS.slice(0, 2), ...left.slice(2)]);
      expect(await seen()).toBe(EVENTS.length);
      await dump.query('commit');
    } finally {
      dump.release();
    }
  });
});
