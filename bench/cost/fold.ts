import pg from 'pg';
import { openDatabase } from '../../src/database/database.js';
import { eventStorePoolConfig } from '../../src/event-store/postgres/pg-session.js';
import type { EventEnvelope } from '../../src/events/event-envelope.js';
import type { ProjectionCursor } from '../../src/projections/engine/projector.js';
import { NOTHING_SET_ASIDE } from '../../src/projections/engine/set-aside-summary.js';
import { EntitlementsProjector } from '../../src/projections/entitlements/entitlements.projector.js';
import { projectionEntities } from '../../src/projections/read-models/entities/entities.js';
import { projectionMigrations } from '../../src/projections/read-models/migrations/migrations.js';
import { publication } from './long-lives.js';

/** What one more event took, in milliseconds: to fold and judge it, and to write the rows it changes. */
export interface EventCost {
  readonly fold: number;
  readonly write: number;
}

const LONG_MS = 5_000;

/** The projection of the running code on read models of its own, fed by hand. */
export class FoldUnderTest {
  #cursor: ProjectionCursor = {
    handled: null,
    partialProgress: [],
    logicalTime: 0,
    events: 0,
    setAside: NOTHING_SET_ASIDE,
  };

  private constructor(
    private readonly projector: EntitlementsProjector,
    private readonly client: pg.PoolClient,
    private readonly closeAll: () => Promise<void>,
  ) {}

  /** On an empty database; the catalogue of the bench is published first. */
  static async open(url: string): Promise<FoldUnderTest> {
    const database = await openDatabase({
      url,
      migrations: projectionMigrations,
      entities: projectionEntities,
      poolConfig: eventStorePoolConfig,
      onIdleFault: (fault) => console.error(fault),
    });
    const pool = new pg.Pool({ connectionString: url });
    const client = await pool.connect();
    const projector = new EntitlementsProjector({ pool, generation: 1 });
    const fold = new FoldUnderTest(projector, client, async () => {
      client.release();
      await pool.end();
      await database.close();
    });
    await fold.feed([publication()]);
    return fold;
  }

  /** Folds events as one batch after the other, in one transaction each. */
  async feed(events: readonly EventEnvelope[], batchSize = 500): Promise<void> {
    for (let left = events; left.length > 0; ) {
      const page = left.slice(0, batchSize);
      const { applied } = await this.#apply(page);
      left = left.slice(applied);
    }
  }

  /** Folds each event as a batch of its own and tells what each took; stops early where that is long. */
  async costs(events: readonly EventEnvelope[]): Promise<readonly EventCost[]> {
    const costs: EventCost[] = [];
    const until = performance.now() + LONG_MS;
    for (const event of events) {
      costs.push((await this.#apply([event])).cost);
      if (performance.now() > until) break;
    }
    return costs;
  }

  close(): Promise<void> {
    return this.closeAll();
  }

  async #apply(events: readonly EventEnvelope[]): Promise<{ applied: number; cost: EventCost }> {
    const began = performance.now();
    const batch = await this.projector.project(events, this.#cursor);
    const folded = performance.now();
    await this.client.query('begin; set local synchronous_commit = off');
    await batch.write(this.client);
    await this.client.query('commit');
    const { applied, partialProgress, logicalTime, setAside } = batch;
    const handled = events[applied - 1]?.position ?? this.#cursor.handled;
    this.#cursor = { handled, partialProgress, logicalTime, events: this.#cursor.events + applied, setAside };
    return { applied, cost: { fold: folded - began, write: performance.now() - folded } };
  }
}
