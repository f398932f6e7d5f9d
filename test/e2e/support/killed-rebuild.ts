import type pg from 'pg';
import { AUTHORIZED } from '../../support/service.js';
import { signed } from '../../support/stripe-events.js';
import { until } from '../../support/until.js';
import { SteadyLoad } from './steady-load.js';
import { TwoServices } from './two-services.js';
import { accessOfOneVersionDiffers, few, versionsGoneBack, WatchedReads } from './watched-reads.js';

const USERS = 60;
const READS_A_SECOND = 40;
/** Answers that are to come while something is gone. */
const SOME_READS = 20;
export const OPS = { actor: 'ops', reason: 'a later policy' };

/**
 * Readers at two services, and what stands in their way: for one case in which somebody is killed. Whatever becomes of the
 * case, nothing of it is left running.
 */
export class KilledRebuild {
  readonly reads: WatchedReads;
  readonly #reading: SteadyLoad;
  readonly #walls: pg.PoolClient[] = [];
  readonly #gone = new Set<string>();

  private constructor(readonly two: TwoServices) {
    const { lives, urls, storedIds } = two;
    this.reads = new WatchedReads(storedIds);
    const users = lives.all.length;
    this.#reading = new SteadyLoad(READS_A_SECOND, (n) =>
      this.reads.one(urls[n % 2] ?? urls[0], lives.all[n % users]?.userId ?? '', Math.floor(n / users)),
    );
  }

  /** Runs a case on services and a log of its own. */
  static async within(run: (rebuild: KilledRebuild) => Promise<void>): Promise<void> {
    const two = await TwoServices.start(USERS);
    try {
      await KilledRebuild.between(two, run);
    } finally {
      await two.close();
    }
  }

  /** Runs a case, at the end of which a generation of the later version is live; looks at everything that was read meanwhile, and ends what the case began. */
  static async between(two: TwoServices, run: (rebuild: KilledRebuild) => Promise<void>): Promise<void> {
    const rebuild = new KilledRebuild(two);
    try {
      await run(rebuild);
      await rebuild.#isSound();
    } finally {
      for (const wall of rebuild.#walls) wall.release(true);
      await rebuild.#reading.stop();
    }
  }

  /** A build that stands in the middle of its first batch until the transaction that is in its way ends. */
  async beginHeld(): Promise<{ readonly build: number; readonly wall: pg.PoolClient }> {
    const [life] = this.two.lives.all;
    for (;;) {
      const wall = await this.wall('select 1');
      const build = await this.two.rebuilds.begin(OPS);
      try {
        await wall.query(
          `insert into tenure.revocation_version select $1, user_id, counter, raised_at
           from tenure.revocation_version join tenure.live_generation using (generation) where user_id = $2`,
          [build, this.two.storedIds.get(life?.userId ?? '')],
        );
        return { build, wall };
      } catch (error) {
        // It had passed before the wall stood: once more.
        if (!(error instanceof Error && 'code' in error && error.code === '23505')) throw error;
        await wall.query('rollback');
        await this.two.rebuilds.drop(build);
      }
    }
  }

  /** A build that has come to where the live generation is. */
  async beginLevel(): Promise<number> {
    const build = await this.two.rebuilds.begin(OPS);
    await this.two.rebuilds.untilCaughtUp(build, () => undefined);
    return build;
  }

  /** A transaction of the test's own in whose way others are; it ends with `rollback`. */
  async wall(statement: string): Promise<pg.PoolClient> {
    const client = await this.two.stores.database.pool.connect();
    this.#walls.push(client);
    await client.query('begin');
    await client.query(statement);
    return client;
  }

  other(url: string): string {
    return this.two.urls[0] === url ? this.two.urls[1] : this.two.urls[0];
  }

  /** Who leads the fold that is read, or those beside it. */
  leader(fold: 'live' | 'beside'): Promise<string> {
    return until(`someone leads what is ${fold}`, () => this.two.leaderOf(fold));
  }

  /** Waits until one of the services leads. */
  async leads(url: string, fold: 'live' | 'beside'): Promise<void> {
    await until(`${url} leads what is ${fold}`, async () => (await this.two.leaderOf(fold)) === url);
  }

  /** Waits until somebody, a service or the command, waits for a lock. */
  async isHeld(name: string): Promise<void> {
    await until(`${name} waits in the middle`, () => this.two.waits(name));
  }

  /** Kills the service at `url`; while it is gone the other one answers every read, and does what is expected of it. */
  async without(url: string, meanwhile: () => Promise<void>): Promise<void> {
    const at = performance.now();
    const survivor = this.other(url);
    await this.two.kill(url);
    await meanwhile();
    const seen = (): number => this.reads.answers.filter(({ instance }) => instance === survivor).length;
    const count = seen() + SOME_READS;
    await until('the other one answers', () => seen() >= count);
    const wrong = this.reads.failed.filter(({ instance, ended }) => instance === survivor || ended < at);
    expect(few(wrong)).toEqual([]);
    this.reads.failed.length = 0;
    this.#gone.add(url);
  }

  /** Starts again what was killed; from then on it fails no read. */
  async comesBack(url: string): Promise<void> {
    await this.two.begin(url);
    this.#gone.delete(url);
    this.reads.failed.length = 0;
  }

  /** One more event of the first life, through the first of the services; it is in what all of them serve before this ends. */
  async tell(...urls: readonly string[]): Promise<void> {
    const [life] = this.two.lives.all;
    if (life === undefined) throw new Error('nobody lives');
    this.two.lives.comeToNow();
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

  async generations(): Promise<readonly string[]> {
    const all = await this.two.rebuilds.list();
    return all.map(({ generation, role }) => `${generation} ${role}`);
  }

  /** What is read, a generation of the later version by now, equals a fold from the beginning; no answer was wrong, of two generations, or older than one before it. */
  async #isSound(): Promise<void> {
    expect(await this.two.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({
      differences: 0,
    });
    await this.#reading.stop();
    const { failed, wrongTags, answers } = this.reads;
    expect(few(failed.filter(({ instance }) => !this.#gone.has(instance)))).toEqual([]);
    expect(few(wrongTags)).toEqual([]);
    expect(few(versionsGoneBack(answers))).toEqual([]);
    expect(few(accessOfOneVersionDiffers(answers))).toEqual([]);
  }
}
