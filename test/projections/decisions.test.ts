import type { Pool } from 'pg';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { ReportUsage, usageAggregate } from '../../src/commands/usage.aggregate.js';
import { DecisionReader } from '../../src/projections/read-models/decision.reader.js';
import { day, storyCatalog } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication } from '../support/stories-to-record.js';

const REPLAY = { batchSize: 10, sliceSize: 10, projector: 'kept' } as const;
const ORIGIN = { actor: 'shop', correlationId: 'test', causation: null, stripe: null };

describe('What features are decided by', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(publication(storyCatalog(), day(-1)));
  });
  afterEach(async () => {
    await log.close();
  });

  it('is read by one statement, which has the text of the catalogue only where that is another one than was read last', async () => {
    const usage = new AggregateRepository(log.store, usageAggregate, { streamPrefix: 'tenure.' });
    await usage.execute(new ReportUsage('ann', 'members', 7, ORIGIN));
    await log.replay(REPLAY);
    const texts: unknown[] = [];
    const ask = log.pool.query.bind(log.pool) as (
      ...asked: unknown[]
    ) => Promise<{ rows: { catalog_text: unknown }[] }>;
    const query = async (...asked: unknown[]) => {
      const answer = await ask(...asked);
      texts.push(answer.rows[0]?.catalog_text);
      return answer;
    };
    const pool: Pool = Object.create(log.pool, { query: { value: query } });
    const reader = new DecisionReader({ pool, now: Date.now });

    const first = await reader.read('ann');
    const second = await reader.read('ann');
    expect(texts).toEqual([expect.stringContaining('plans'), null]);
    expect(first).toMatchObject({ usage: new Map([['members', 7]]), combination: null });
    expect(second.catalog).toBe(first.catalog);

    const another = { ...storyCatalog(), default: 'plus' };
    await log.record(publication(another, day(0)));
    await log.replay(REPLAY);
    const [third, fourth] = await Promise.all([reader.read('ann'), reader.read('bob')]);
    expect([third.catalog.default, third.served.snapshot.plan]).toEqual(['plus', 'plus']);
    expect([fourth.catalog.default, fourth.usage.size]).toEqual(['plus', 0]);
    expect(texts).toHaveLength(4);
  });
});
