import type { PoolClient } from 'pg';
import { built } from '../support/compiled.js';
import { type ReplaceableLog, replaceableLog } from '../support/replaceable-log.js';
import { startService, type TestService } from '../support/service.js';
import { ServiceProcess } from '../support/service-process.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';

let log: ReplaceableLog;
let service: TestService;

beforeEach(async () => {
  log = await replaceableLog();
  service = await startService({ stores: log.stores });
  await buy('ann');
  const restoreOlder = await log.backUp();
  await buy('bob');
  await restoreOlder();
  await until('the log is known to be another one', async () => (await problems()).includes('log_replaced'));
});
afterEach(async () => {
  await service.close();
  await log.stores.drop();
});

async function problems(): Promise<readonly string[]> {
  return (await service.get('/health/ready')).body.problems;
}

async function buy(user: string): Promise<void> {
  const bought = subscriptionObject(`sub_${user}`, 'price_plus', { metadata: { user_id: user } });
  await service.after(user, stripeEvent('customer.subscription.created', bought));
}

function adopting(): ServiceProcess {
  return new ServiceProcess(
    { ...log.stores.environment, USER: 'ada' },
    { file: built('cli'), args: ['log', 'adopt', '--reason', 'the backup is all there is', '--yes'] },
  );
}

/** A lock that whoever adopts waits for, at one place; held until the answer is called. */
async function wall(statement: string): Promise<() => Promise<void>> {
  const client: PoolClient = await log.stores.database.pool.connect();
  await client.query('begin');
  await client.query(statement);
  return async () => {
    await client.query('rollback');
    client.release();
  };
}

async function isWaiting(): Promise<boolean> {
  const { rows } = await log.stores.database.pool.query(
    `select from pg_locks l join pg_stat_activity a using (pid)
     where not l.granted and a.datname = current_database() and a.application_name like 'tenure-generations%'`,
  );
  return rows.length > 0;
}

/** Each case starts two processes: the moment that matters most always, the other at the soak's size. */
const isSoak = process.env.REBUILD_EVENTS !== undefined;
const MOMENTS = [
  ['in the middle of the swap', 'lock table tenure.generation_swap in exclusive mode'],
  ['while it folds', 'lock table tenure.customer in exclusive mode'],
] as const;

describe('tenure log adopt, killed', () => {
  it.each(isSoak ? MOMENTS : MOMENTS.slice(0, 1))(
    '%s leaves everything as it was, and does it all when it is run again',
    async (_, statement) => {
      const release = await wall(statement);
      const first = adopting();
      await until('it is in the middle', isWaiting)
        .then(() => first.kill('SIGKILL'))
        .finally(release);
      const swaps = await log.stores.database.pool.query(
        'select generation, swaps from tenure.live_generation',
      );
      expect(swaps.rows).toEqual([{ generation: 1, swaps: 0 }]);
      expect(await problems()).toEqual(['log_replaced']);
      expect(await service.entitlements('bob')).toMatchObject({ plan: 'plus', revocationVersion: 1 });

      expect(await adopting().ended).toMatchObject({ code: 0 });
      await until('it is ready', async () => (await problems()).length === 0);
      await until('bob is free', async () => (await service.entitlements('bob')).plan === 'free');
      expect(await service.entitlements('bob')).toMatchObject({ revocationVersion: 2 });
    },
    180_000,
  );
});
