import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { ReportUsage, usageAggregate } from '../../src/commands/usage.aggregate.js';
import { openDatabase } from '../../src/database/database.js';
import { eventStoreMigrations } from '../../src/event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../../src/event-store/postgres/pg-session.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { median, type Row, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';

/** Reports of a user before the one that is measured. */
const FEW = 10;
const MANY = 10_000;
const SAMPLES = 101;
const ORIGIN = { actor: 'bench', correlationId: 'bench', causation: null, stripe: null };

/** What the 10,000th report of a user's usage costs beside the 10th: by a process that knows the stream, and by one just begun. */
export async function benchUsage({
  database,
  say,
}: Pick<BenchContext, 'database' | 'say'>): Promise<WorkReport> {
  const url = await database.create('usage');
  const { pool, close } = await openDatabase({
    url,
    migrations: eventStoreMigrations,
    entities: [],
    poolConfig: eventStorePoolConfig,
    onIdleFault: (fault) => console.error(fault),
  });
  const store = new PostgresEventStore(pool, { session: { connectionString: url }, onFault: console.error });
  try {
    const anew = () => new AggregateRepository(store, usageAggregate, { streamPrefix: 'tenure.' });
    const kept = anew();
    let value = 0;
    const report = async (userId: string, repository = kept): Promise<number> => {
      value += 1;
      const began = performance.now();
      await repository.execute(new ReportUsage(userId, 'members', value, ORIGIN));
      return (performance.now() - began) * 1_000;
    };
    for (let n = 0; n < FEW; n += 1) await report('few');
    for (let n = 0; n < MANY; n += 1) await report('many');
    const rows: Row[] = [];
    for (const how of ['known', 'read anew'] as const) {
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let n = 0; n < SAMPLES; n += 1) {
        ours.push(await report('many', how === 'known' ? kept : anew()));
        theirs.push(await report('few', how === 'known' ? kept : anew()));
      }
      const [many, few] = [median(ours), median(theirs)];
      say(`  ${how}: ${many.toFixed(0)} µs after ${MANY} reports, ${few.toFixed(0)} µs after ${FEW}`);
      rows.push({
        work: `report of usage after ${MANY} others, its stream ${how}`,
        ours: many,
        against: `after ${FEW} others`,
        theirs: few,
        unit: 'µs',
        ratio: few / many,
        least: how === 'known' ? 0.8 : 0.33,
        aim: null,
      });
    }
    return { rows, notes: [] };
  } finally {
    await store.close();
    await close();
  }
}
