import type pg from 'pg';
import { signed } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { SteadyLoad } from './support/steady-load.js';
import { COMMAND, TwoServices } from './support/two-services.js';
import {
  AUTHORIZED,
  accessOfOneVersionDiffers,
  versionsGoneBack,
  WatchedReads,
} from './support/watched-reads.js';

const USERS = 400;
const READS_A_SECOND = 100;
const OPS = { actor: 'ops', reason: 'a later policy' };
const BUILD = 2;

/** One rebuild, in each phase of which somebody is killed; the tests go on from one another. */
describe('A rebuild in which processes are killed', () => {
  let two: TwoServices;
  let reads: WatchedReads;
  let reading: SteadyLoad;
  const clients: pg.PoolClient[] = [];
  beforeAll(async () => {
    two = await TwoServices.start(USERS);
    reads = new WatchedReads();
    const { lives, urls } = two;
    reading = new SteadyLoad(READS_A_SECOND, (n) =>
      reads.one(urls[n % 2] ?? urls[0], lives.all[n % USERS]?.userId ?? '', Math.floor(n / USERS)),
    );
  }, 120_000);
  afterAll(async () => {
    await reading.stop();
    for (const client of clients) client.release(true);
    await two.close();
  });

  /** A transaction of the test's own in whose way others are; it ends with `rollback`. */
  async function blocker(statement: string): Promise<pg.PoolClient> {
    const client = await two.stores.database.pool.connect();
    clients.push(client);
    await client.query('begin');
    await client.query(statement);
    return client;
  }

  function other(url: string): string {
    return two.urls[0] === url ? two.urls[1] : two.urls[0];
  }

  /** Kills the service at `url`; while it is gone, and until it is back, the other one answers every read. */
  async function killed(url: string, meanwhile: () => Promise<void>): Promise<void> {
    const at = performance.now();
    const survivor = other(url);
    await two.kill(url);
    await meanwhile();
    const count = reads.answers.length + READS_A_SECOND / 2;
    await until('the other one answers', () => reads.answers.length >= count);
    await two.begin(url);
    expect(reads.failed.filter(({ instance, ended }) => instance === survivor || ended < at)).toEqual([]);
    reads.failed.length = 0;
  }

  /** One more event of the first life, through the given service; it is in what both serve before this ends. */
  async function tell(...urls: readonly string[]): Promise<void> {
    const [life] = two.lives.all;
    if (life === undefined) throw new Error('nobody lives');
    two.lives.comeToNow();
    const { body, signature } = signed(life.subscription.isNoted(`at ${performance.now()}`).body);
    const headers = { 'stripe-signature': signature };
    const response = await fetch(`${urls[0]}/webhooks/stripe`, { method: 'POST', body, headers });
    const { outcome, position } = (await response.json()) as { outcome: string; position: string };
    expect(outcome).toBe('applied');
    for (const url of urls) {
      const path = `${url}/v1/users/${life.userId}/entitlements?minPosition=${position}`;
      const shows = async (): Promise<boolean> => (await fetch(path, { headers: AUTHORIZED })).status === 200;
      await until(`${url} shows ${position}`, shows);
    }
  }

  async function generations(): Promise<readonly string[]> {
    const all = await two.generations.list();
    return all.map(({ generation, role }) => `${generation} ${role}`);
  }

  it('while it is built: another goes on from where it was, and a standby that dies is missed by nobody', async () => {
    expect(await two.generations.begin(OPS)).toBe(BUILD);
    const wall = await blocker(
      `insert into tenure.revocation_version select ${BUILD}, user_id, counter, raised_at
       from tenure.revocation_version where generation = 1 and user_id = '${two.lives.all[0]?.userId}'`,
    );
    const victim = await until('someone builds', () => two.leaderOf('beside'));
    await until('the build is in the middle of a batch', () => two.waits(victim));
    await killed(victim, async () => {
      await until('the other one builds', async () => (await two.leaderOf('beside')) === other(victim));
    });
    expect(await two.leaderOf('beside')).toBe(other(victim));
    await killed(victim, async () => {
      await wall.query('rollback');
      await two.generations.untilLevel(BUILD, () => undefined);
    });
    expect(await generations()).toEqual(['1 live', `${BUILD} building`]);
  }, 120_000);

  it('when it is level: another keeps it level', async () => {
    const victim = await until('someone keeps it level', () => two.leaderOf('beside'));
    await killed(victim, async () => {
      await tell(other(victim));
      await two.generations.untilLevel(BUILD, () => undefined);
    });
  }, 120_000);

  it.each([
    ['compares', 'revocation_feed_head'],
    ['keeps the history of what it replaces', 'swap_history'],
    ['is about to move the pointer', 'generation_swap'],
  ])(
    'while the command that swaps %s: nothing of the swap is there',
    async (_, table) => {
      const wall = await blocker(`lock table tenure.${table} in exclusive mode`);
      const command = two.tenure('projections', 'swap', String(BUILD), '--reason', 'a later policy');
      await until('the swap waits in the middle', () => two.waits(COMMAND));
      await command.kill('SIGKILL');
      await wall.query('rollback');
      await tell(...two.urls);
      expect(reads.failed).toEqual([]);
      expect(await generations()).toEqual(['1 live', `${BUILD} building`]);
      expect(await two.generations.swaps(1)).toEqual([]);
    },
    120_000,
  );

  it('while a command swaps, the service that leads: the swap goes through, and the other one leads', async () => {
    const wall = await blocker('lock table tenure.generation_swap in exclusive mode');
    const command = two.tenure('projections', 'swap', String(BUILD), '--reason', 'a later policy');
    await until('the swap waits in the middle', () => two.waits(COMMAND));
    const victim = await until('someone leads', () => two.leaderOf('live'));
    await killed(victim, async () => {
      await wall.query('rollback');
      expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
      await tell(other(victim));
    });
    expect(await generations()).toEqual(['1 previous', `${BUILD} live`]);
    expect(await two.generations.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
  }, 120_000);

  it('just after the pointer moved, the service that leads: the other one serves and folds on', async () => {
    const command = two.tenure('projections', 'rollback', '--reason', 'to and fro');
    const victim = await until('someone leads', () => two.leaderOf('live'));
    await until('the pointer moved', async () => (await two.generations.swaps(1))[0]?.kind === 'rollback');
    await killed(victim, async () => {
      await tell(other(victim));
    });
    expect((await command.ended).code).toBe(0);
    expect(await generations()).toEqual(['1 live', `${BUILD} previous`]);
  }, 120_000);

  it('while a service carries out an order over HTTP: another one carries it out', async () => {
    const wall = await blocker('lock table tenure.generation_swap in exclusive mode');
    const ordered = await fetch(`${two.urls[0]}/v1/ops/projections/entitlements/rebuild`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'once more' }),
    });
    const { generation } = (await ordered.json()) as { generation: number };
    expect(ordered.status).toBe(202);
    const victim = await until('a service is about to move the pointer', () =>
      two.waiterFor('generation_swap'),
    );
    await killed(victim, async () => {
      await wall.query('rollback');
      await until(
        'the order is carried out',
        async () => (await two.generations.swaps(1))[0]?.to === generation,
      );
      await tell(other(victim));
    });
    expect(await generations()).toEqual(['1 previous', `${BUILD} previous`, `${generation} live`]);
    expect(await two.generations.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
  }, 120_000);

  it('and in the end it can be finished, verifies clean, and no answer was of two generations', async () => {
    await two.done('projections', 'swap', String(BUILD), '--reason', 'a later policy');
    for (const each of await two.generations.list()) {
      if (each.role !== 'live') await two.done('projections', 'drop', String(each.generation));
    }
    await tell(...two.urls);
    expect((await two.done('projections', 'verify')).stdout).toContain('no difference');
    expect(await generations()).toEqual([`${BUILD} live`]);
    await reading.stop();
    expect(reads.failed).toEqual([]);
    expect(reads.wrongTags).toEqual([]);
    expect(versionsGoneBack(reads.answers)).toEqual([]);
    expect(accessOfOneVersionDiffers(reads.answers)).toEqual([]);
  }, 120_000);
});
