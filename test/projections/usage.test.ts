import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { ReportUsage, usageAggregate } from '../../src/commands/usage.aggregate.js';
import { UsageReader } from '../../src/projections/read-models/usage.reader.js';
import { day, storyCatalog } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication } from '../support/stories-to-record.js';

const ORIGIN = { actor: 'shop', correlationId: 'test', causation: null, stripe: null };

describe('Usage', () => {
  let log: ProjectedLog;
  /** Reads of the log, by how many events were asked for. */
  let reads: number[];
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(publication(storyCatalog(), day(-1)));
    reads = [];
  });
  afterEach(async () => {
    await log.close();
  });

  /** As after a start: with nothing in memory. */
  function anew() {
    const store = Object.create(log.store, {
      readPage: {
        value: async (...asked: Parameters<typeof log.store.readPage>) => {
          const page = await log.store.readPage(...asked);
          reads.push(page.length);
          return page;
        },
      },
      readLast: {
        value: async (stream: string) => {
          reads.push(1);
          return log.store.readLast(stream);
        },
      },
    });
    return new AggregateRepository(store, usageAggregate, { streamPrefix: 'tenure.' });
  }
  const report = (limit: string, value: number) => new ReportUsage('ann', limit, value, ORIGIN);

  it('is the newest report of each limit, and changes no snapshot', async () => {
    const repository = anew();
    for (const [limit, value] of [
      ['members', 7],
      ['projects', 2],
      ['members', 9],
    ] as const) {
      await repository.execute(report(limit, value));
    }
    await log.replay({ batchSize: 2, sliceSize: 10, projector: 'kept' });
    expect(await new UsageReader(log.pool).usageOf('ann')).toEqual(
      new Map([
        ['members', 9],
        ['projects', 2],
      ]),
    );
    expect(await new UsageReader(log.pool).usageOf('bob')).toEqual(new Map());
    expect((await log.rows()).user_role).toEqual([]);
  });

  it('reads no more of a stream of any length for the next report than of a short one', async () => {
    const repository = anew();
    for (let value = 1; value <= 1_000; value += 1) await repository.execute(report('members', value));
    await repository.execute(report('projects', 2));
    reads = [];
    const next = anew();
    expect(await next.execute(report('members', 1_000))).toMatchObject({ outcome: 'duplicate' });
    expect(await next.execute(report('projects', 3))).toMatchObject({ outcome: 'applied' });
    expect(reads).toEqual([1, 1]);
    const stored = await log.store.read('tenure.usage-ann', 1_001);
    expect(stored.map(({ data }) => JSON.parse(data))).toEqual([
      { userId: 'ann', limit: 'projects', value: 3, values: { members: 1_000, projects: 3 } },
    ]);
  });
});
