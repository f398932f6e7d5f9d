import pg from 'pg';
import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import type { Position } from '../../src/events/stored-event.js';
import { EVENTS_AT } from '../../src/projections/rebuild/grouped/set-down-events.js';

/** What a test does before events are given that were asked for apart from one another; `nth` counts such questions from 0. */
export type BeforeGiving = (nth: number, positions: readonly Position[]) => Promise<void>;

/** A log, and the database that its read models are in. */
interface Watched {
  readonly store: EventStore;
  readonly url: string;
}

/**
 * A store that knows what folds by groups ask of it, and may be held up there; of a log that finds no events apart from one another,
 * what they ask of the events that were set down in the database.
 */
export class WatchedGroups extends EventStoreDecorator {
  /** Positions of every question, in order. */
  readonly asked: (readonly Position[])[] = [];

  constructor(
    { store, url }: Watched,
    private readonly before: BeforeGiving = async () => undefined,
  ) {
    super(store);
    if (store.eventsAt === undefined) watchersOfSetDown.set(url, this);
  }

  override get eventsAt(): EventStore['eventsAt'] {
    const eventsAt = super.eventsAt;
    if (eventsAt === undefined) return undefined;
    return async (positions) => {
      await this.isAsked(positions);
      return eventsAt(positions);
    };
  }

  /** Notes a question; it is answered when this has come back. */
  async isAsked(positions: readonly Position[]): Promise<void> {
    this.asked.push(positions);
    await this.before(this.asked.length - 1, positions);
  }
}

/** Tables of events that were set down of the log, of whatever build. */
export async function setDownTables(pool: pg.Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relname like 'set\\_down\\_event%' and relkind = 'r' order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Where whoever comes to the `nth` question waits until the test goes on. */
export class Gate {
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  constructor(private readonly nth: number) {}

  readonly before: BeforeGiving = async (nth) => {
    if (nth >= this.nth) await this.#opened;
  };

  open(): void {
    this.#open();
  }
}

/** The last watcher of each database. */
const watchersOfSetDown = new Map<string, WatchedGroups>();

/** Every statement of a pool passes by here. */
const query = pg.Pool.prototype.query;
pg.Pool.prototype.query = async function (this: pg.Pool, ...given: Parameters<typeof query>) {
  const [{ name, values }] = given as readonly unknown[] as readonly [pg.QueryConfig<[readonly Position[]]>];
  if (name?.startsWith(EVENTS_AT) === true) {
    const url = this.options.connectionString?.replace(/\?.*/, '') ?? '';
    await watchersOfSetDown.get(url)?.isAsked(values?.[0] ?? []);
  }
  return query.apply(this, given);
} as typeof query;
