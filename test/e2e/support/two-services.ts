import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../src/config/settings.js';
import type { EventStore } from '../../../src/event-store/event-store.js';
import { openEventStore } from '../../../src/event-store/open-event-store.js';
import {
  openRebuildProjector,
  type RebuildProjector,
} from '../../../src/projections/rebuild/rebuild-projector.js';
import type { RebuildRuntime } from '../../../src/projections/rebuild/rebuild-runtime.js';
import { laterVersion } from '../../support/later-version.js';
import { RUNNING_RULES as LATER_RULES } from '../../support/other-rules/folding-rules.js';
import { EVENTS_OF_A_LIFE, RecordedLives } from '../../support/recorded-lives.js';
import { PLANS, startService, testEnvironment } from '../../support/service.js';
import { type Ended, freePort, ServiceProcess } from '../../support/service-process.js';
import { type TestStores, testStores } from '../../support/stores.js';
import { PATIENCE_MS, until } from '../../support/until.js';

/** How the database knows commands. */
export const COMMAND = 'tenure';
/** Classes of the advisory locks of those who lead: "tnre" and "tnrb". */
const LOCK_CLASSES = { live: 0x746e7265, beside: 0x746e7262 };
const FOLDED_WITHIN_MS = 600_000;

/**
 * Two real processes of a later code version on one log, right after their deploy: what they serve was folded by the code
 * in `src`.
 */
export class TwoServices {
  readonly #running = new Map<string, ServiceProcess>();

  private constructor(
    readonly urls: readonly [string, string],
    readonly stores: TestStores,
    readonly store: EventStore,
    /** Lives that the log holds: see `RecordedLives`. */
    readonly lives: RecordedLives,
    /** What stands for their user ids in log and read models. */
    readonly storedIds: ReadonlyMap<string, string>,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly rebuildProjector: RebuildProjector,
    private readonly folder: string,
    /** The folder of the later version. */
    private readonly program: string,
  ) {}

  /** Fills the log with the lives of so many users, folds it by the code in `src`, then starts the two. */
  static async start(users: number): Promise<TwoServices> {
    const stores = await testStores();
    const folder = await mkdtemp(join(tmpdir(), 'tenure-two-'));
    try {
      return await TwoServices.#start(users, stores, folder);
    } catch (error) {
      await stores.drop();
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  static async #start(users: number, stores: TestStores, folder: string): Promise<TwoServices> {
    await writeFile(join(folder, 'plans.yaml'), PLANS);
    const { url, pool } = stores.database;
    const environment = { ...testEnvironment(url, join(folder, 'plans.yaml')), ...stores.environment };
    const settings = loadSettings(environment);
    const lives = new RecordedLives('u', users, { plus: 'price_plus', pro: 'price_pro' });

    const before = await startService({ stores });
    const onFault = (fault: unknown): never => {
      throw fault;
    };
    const store = await openEventStore(settings, { pool, databaseUrl: url, onFault });
    const inwards = (body: unknown): Promise<unknown> => before.inwards(body);
    const last = await lives.record(store, settings.streamPrefix, { events: EVENTS_OF_A_LIFE, inwards });
    const { engine } = before.tenure.projections;
    await until('the log is folded', () => engine.waitUntil(last, 1_000), FOLDED_WITHIN_MS);
    const storedIds = await before.storedIds(lives.all.map(({ userId }) => userId));
    await before.close();

    const rebuildProjector = openRebuildProjector({
      onSetAside: () => undefined,
      store,
      streamPrefix: settings.streamPrefix,
      pool,
      url,
      rules: LATER_RULES,
      onFault,
      onTrouble: onFault,
      patienceMs: PATIENCE_MS, // who builds shares the machine with those who read and write
    });
    const urls = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`] as const;
    const program = await laterVersion();
    const two = new TwoServices(
      urls,
      stores,
      store,
      lives,
      storedIds,
      environment,
      rebuildProjector,
      folder,
      program,
    );
    try {
      await Promise.all(urls.map((each) => two.begin(each)));
    } catch (error) {
      await two.#end();
      throw error;
    }
    return two;
  }

  /** What rebuilds, as the later version does it; it folds nothing itself. */
  get rebuilds(): RebuildRuntime {
    return this.rebuildProjector.rebuilds;
  }

  /** Starts the service at one of the `urls` and waits until it is ready. */
  async begin(url: string): Promise<void> {
    const service = new ServiceProcess(
      { ...this.#environmentOf(url), PORT: new URL(url).port },
      { file: join(this.program, 'main.js') },
    );
    this.#running.set(url, service);
    await service.isReady(url);
  }

  /** Ends the service at `url` at once. */
  async kill(url: string): Promise<void> {
    await this.#running.get(url)?.kill('SIGKILL');
  }

  /** `tenure …` of the later version, as a process that can be killed. */
  tenure(...args: readonly string[]): ServiceProcess {
    return new ServiceProcess(this.#environmentOf(COMMAND), { file: join(this.program, 'cli.js'), args });
  }

  /** `tenure …`, which must end well. */
  async done(...args: readonly string[]): Promise<Ended> {
    const ended = await this.tenure(...args).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    return ended;
  }

  /** Who leads the fold that is read, or those beside it: one of the `urls`, or `COMMAND`. */
  async leaderOf(fold: 'live' | 'beside'): Promise<string | undefined> {
    const { rows } = await this.stores.database.pool.query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and l.granted and l.classid = $1 and l.objid <> 2
         and a.datname = current_database()`,
      [LOCK_CLASSES[fold]],
    );
    return rows[0]?.name;
  }

  /** Whether one of the `urls`, or `COMMAND`, waits for a lock of the database. */
  async waits(name: string): Promise<boolean> {
    const { rows } = await this.stores.database.pool.query(
      `select from pg_stat_activity
       where application_name = $1 and wait_event_type = 'Lock' and datname = current_database()`,
      [name],
    );
    return rows.length > 0;
  }

  /** Who waits for the lock of a whole table of the read side: one of the `urls`, or `COMMAND`. */
  async waiterFor(table: string): Promise<string | undefined> {
    const { rows } = await this.stores.database.pool.query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
       where not l.granted and l.relation = to_regclass($1) and a.datname = current_database()`,
      [`tenure.${table}`],
    );
    return rows[0]?.name;
  }

  /** The database knows its sessions by whose they are. */
  #environmentOf(name: string): Readonly<Record<string, string>> {
    const url = new URL(this.stores.database.url);
    url.searchParams.set('application_name', name);
    return { ...this.environment, DATABASE_URL: url.href };
  }

  async close(): Promise<void> {
    await this.#end();
    await this.stores.drop();
    await rm(this.folder, { recursive: true });
  }

  /** Ends all that uses the stores. */
  async #end(): Promise<void> {
    await Promise.all([...this.#running.values()].map((service) => service.kill('SIGKILL')));
    await this.rebuildProjector.stop();
    await this.store.close();
  }
}
