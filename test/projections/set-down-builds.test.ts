import type { AppendResult, EventStore, Page } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import type { Position, StoredEvent } from '../../src/events/stored-event.js';
import { SetDownEvents } from '../../src/projections/rebuild/grouped/set-down-events.js';
import { begunBuild } from '../support/begun-build.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { customerAt } from '../support/small-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';
import { Gate, setDownTables, WatchedGroups } from '../support/watched-groups.js';

const ENTITLEMENTS = 'entitlements';
const OPS = { actor: 'ops', reason: 'a test' };
/** Among them texts that a careless way to set them down would change. */
const USERS = ['ann', 'bob "b" \\u0000', 'cléo 𝄞', '{dan,eve}', "o'hara\t", '\\', 'NULL', 'zoe'];
/** Events of a page that a build reads to learn what belongs together; no other fold here reads so many. */
const PAGE = 2_000;

function turn(nth: number): readonly ToRecord[] {
  const status = nth % 2 === 0 ? 'past_due' : 'active';
  return USERS.map((userId, n) => sightOf(String(n), day(nth) + n, { userId, status }));
}

/** A store that knows how often a build has read it to learn what belongs together, and may be held up there. */
class WatchedPages extends EventStoreDecorator {
  pages = 0;

  constructor(
    store: EventStore,
    private readonly before: Gate['before'] = async () => undefined,
  ) {
    super(store);
  }

  override async readAll(after: Position | null, limit: number): Promise<Page> {
    if (limit === PAGE) {
      this.pages += 1;
      await this.before(this.pages - 1, []);
    }
    return super.readAll(after, limit);
  }
}

interface StartOptions {
  readonly groups: Gate;
  readonly pages: Gate;
  readonly least: number;
  readonly batchSize: number;
}

describe('A build of a log that finds no events apart from one another', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open('elsewhere');
    expect(log.store.eventsAt).toBeUndefined();
  });
  afterEach(async () => {
    await until('nothing is set down any more', async () => (await setDownTables(log.pool)).length === 0);
    await log.close();
  });

  async function start(
    name: string,
    { groups, pages: gate, least = 1, batchSize = 4 }: Partial<StartOptions> = {},
  ): Promise<{ readonly instance: Instance; readonly groups: WatchedGroups; readonly pages: WatchedPages }> {
    const pages = new WatchedPages(log.store, gate?.before);
    const store = new WatchedGroups({ store: pages, url: log.url }, groups?.before);
    const instance = await log.start(name, {
      store,
      leastByGroups: least,
      buildBatchSize: batchSize,
      patienceMs: 20_000,
      now: () => at(day(9)),
    });
    await instance.reaches((await log.store.head()) ?? '0');
    return { instance, groups: store, pages };
  }

  async function recordTurns(): Promise<void> {
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...turn(1),
      ...turn(2),
    );
  }

  async function stretchOf(generation: number): Promise<{ through?: Position; inOrder?: true } | null> {
    const { rows } = await log.pool.query(
      'select stretch::json as stretch from tenure.projection_checkpoint where generation = $1',
      [generation],
    );
    return rows[0]?.stretch ?? null;
  }

  function inTheMiddle(generation: number): Promise<Position> {
    return until('groups are written', async () => (await stretchOf(generation))?.through ?? undefined);
  }

  async function built({ rebuilds }: Instance, generation: number): Promise<void> {
    await rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
    expect(await stretchOf(generation)).toBeNull();
  }

  it.each([
    ['emptied, as by a crash of the database', 'truncate'],
    ['dropped', 'drop table'],
  ])(
    'reads the stretch again where what it set down is %s, and goes on after the groups that are written',
    async (_, how) => {
      await recordTurns();
      const gate = new Gate(2);
      const { instance, groups, pages } = await start('a', { groups: gate });
      const generation = await instance.rebuilds.begin(OPS);
      const through = await inTheMiddle(generation);
      const [asked, read] = [groups.asked.length, pages.pages];
      await log.pool.query(`${how} tenure.set_down_event_g${generation}`);
      gate.open();
      await built(instance, generation);
      expect(pages.pages).toBe(read + 1);
      const written = groups.asked
        .slice(asked)
        .flat()
        .filter((each) => BigInt(each) <= BigInt(through));
      expect(written).toEqual([]);
      expect([instance.faults, instance.troubles]).toEqual([[], []]);
    },
  );

  it('believes nothing of what another one has left behind in the middle', async () => {
    await recordTurns();
    const gate = new Gate(2);
    const first = await start('a', { groups: gate });
    const generation = await first.instance.rebuilds.begin(OPS);
    await inTheMiddle(generation);
    const stopping = first.instance.stop();
    gate.open();
    await stopping;
    expect(await setDownTables(log.pool)).toEqual([`set_down_event_g${generation}`]);
    await log.pool.query(`update tenure.set_down_event_g${generation} set metadata = '{}'`);
    const next = await start('b');
    await built(next.instance, generation);
  });

  it('sets all down anew where its connections are cut off while it reads', async () => {
    await log.store.append('tenure.customer-cus_9', 'no_stream', manyOf('cus_9'));
    const gate = new Gate(2);
    const { instance, pages } = await start('a', { pages: gate, batchSize: PAGE });
    const generation = await instance.rebuilds.begin(OPS);
    await until('the third page is asked for', async () => pages.pages === 3);
    await until('two are set down', async () => (await setDownCount(generation)) === 4_000);
    await log.pool.query(`update tenure.set_down_event_g${generation} set metadata = '{}'`);
    await log.endSessions('a');
    gate.open();
    await until('it has set down all and folded it', async () => (await eventsOf(generation)) === 4_100);
    await built(instance, generation);
  });

  it('that is dropped while it reads leaves nothing, and the next one is whole', async () => {
    await log.store.append('tenure.customer-cus_9', 'no_stream', manyOf('cus_9'));
    const gate = new Gate(2);
    const { instance, pages } = await start('a', { pages: gate, batchSize: PAGE });
    const generation = await instance.rebuilds.begin(OPS);
    await until('the third page is asked for', async () => pages.pages === 3);
    await instance.rebuilds.drop(generation);
    expect(await setDownTables(log.pool)).toEqual([]);
    gate.open();
    await built(instance, await instance.rebuilds.begin(OPS));
    expect([instance.faults, instance.troubles]).toEqual([[], []]);
  });

  it('that goes on in the order of the log removes what one that was killed while it read has left', async () => {
    await recordTurns();
    const generation = await begunBuild(log.pool);
    await new SetDownEvents(log.pool, { projection: ENTITLEMENTS, generation }).begin({ revision: 0 });
    const { instance, pages } = await start('a', { least: 1_000_000 });
    await built(instance, generation);
    expect(pages.pages).toBe(0);
  });

  it('goes by groups where many events are left, however far from the beginning of the log the first of them is', async () => {
    const long = customerAt(1, 'cus_1', 'x'.repeat(900_000), day(0));
    await log.store.append('of-somebody-else', 'no_stream', [long]);
    await recordTurns();
    const { instance, groups } = await start('a', { least: 10 });
    await built(instance, await instance.rebuilds.begin(OPS));
    expect(groups.asked.flat()).toHaveLength(2 * USERS.length);
  });

  it('is not by groups where too few events are left, whatever they weigh', async () => {
    const append = (...events: readonly StoredEvent[]): Promise<AppendResult> =>
      log.store.append(events[0]?.stream ?? '', 'no_stream', events);
    const long = (n: number): StoredEvent => customerAt(n, `cus_${n}`, 'x'.repeat(100_000), day(7));
    await append(...manyOf('cus_9').slice(0, 6));
    for (const n of [1, 2, 3, 4]) await append(long(n));
    await append(...manyOf('cus_8').slice(0, 6));
    const { instance, groups, pages } = await start('a', { least: 20, batchSize: 1 });
    const generation = await instance.rebuilds.begin(OPS);
    await built(instance, generation);
    // So long that it could be many events.
    const longer = customerAt(5, 'cus_5', 'x'.repeat(900_000), day(7));
    await instance.reaches((await append(longer, customerAt(6, 'cus_5', 'user 6', day(7)))).position);
    await built(instance, generation);
    expect(pages.pages).toBe(0);
    expect(groups.asked).toEqual([]);
  });

  it('that has caught up follows the log without reading it by groups for a few events, though positions are far apart', async () => {
    await recordTurns();
    const { instance, pages } = await start('a', { least: 10 });
    const generation = await instance.rebuilds.begin(OPS);
    await built(instance, generation);
    const read = pages.pages;
    await instance.reaches(await log.record(...turn(3)));
    await built(instance, generation);
    expect(pages.pages).toBe(read);
  });

  async function eventsOf(generation: number): Promise<number> {
    const { rows } = await log.pool.query(
      'select events::int, handled from tenure.projection_checkpoint where generation = $1',
      [generation],
    );
    return rows[0]?.handled === null ? 0 : rows[0]?.events;
  }

  async function setDownCount(generation: number): Promise<number> {
    const { rows } = await log.pool.query(`select from tenure.set_down_event_g${generation}`);
    return rows.length;
  }
});

/** More events than two pages hold, of one customer. */
function manyOf(customer: string): readonly StoredEvent[] {
  return Array.from({ length: 4_100 }, (_, n) => customerAt(n, customer, 'user 9', day(7)));
}
