import type { Pool } from 'pg';
import type { CommandResult, Origin } from '../commands/aggregate.js';
import { SkipEvent } from '../commands/projection.aggregate.js';
import type { EventStore } from '../event-store/event-store.js';
import type { EventSkippedData } from '../events/projection.events.js';
import type { Position, StoredEvent } from '../events/stored-event.js';
import { type ProjectionFault, projectionFaultSchema, readLiveCheckpoint } from './engine/checkpoint.js';
import { clearFault } from './engine/checkpoint-moves.js';
import { PROJECTION_CHANNEL } from './engine/leader-election.js';
import { readSkips } from './engine/projection-source.js';
import { type TriedAgain, tryAllAgain, tryStreamAgain } from './engine/try-again.js';
import { FaultElsewhereError, NoFaultError } from './rebuild/errors.js';
import { findGeneration } from './rebuild/generation-table.js';

export interface ProjectionRecoveryOptions {
  readonly store: Pick<EventStore, 'read' | 'readAll'>;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  /** Appends the skip. */
  readonly commands: { execute(command: SkipEvent): Promise<CommandResult> };
}

/** A generation that tries again, the fault at which it stood if it did, and how much it had set aside. */
export interface Resumed extends TriedAgain {
  readonly generation: number;
}

/** An event that is skipped, and since when: by this call, or by an earlier one. */
export interface Skipped {
  readonly outcome: 'skipped' | 'skipped_before';
  readonly position: Position;
  readonly skipped: EventSkippedData['skipped'];
  /** Why, as it is in the log. */
  readonly reason: string;
}

/** Who skips an event, and why (1 to 500 characters, no personal data): both are kept in the log for ever. */
export interface SkipAsked extends Pick<Origin, 'actor' | 'correlationId'> {
  readonly reason: string;
}

/**
 * What ops do when a projection set events aside that it cannot fold, or stands still at one (DESIGN 12): have them tried
 * again, or let it go past one. Running services learn of both at once; nothing is folded here.
 */
export class ProjectionRecovery {
  constructor(private readonly options: ProjectionRecoveryOptions) {}

  /**
   * Has a generation try again what it set aside, and the fault at which it stands: what was in its way was not the code, and
   * is gone. What still fails is set aside, and shown, again.
   * @throws NoFaultError, UnknownGenerationError
   */
  async resume(generation: number | 'live'): Promise<Resumed> {
    const { pool, projection } = this.options;
    const which = generation === 'live' ? await this.#live() : generation;
    await findGeneration(pool, projection, which);
    const tried = await tryAllAgain(pool, { projection, generation: which });
    if (tried === null || (tried.fault === null && tried.streams + tried.users === 0)) {
      throw new NoFaultError(which);
    }
    await pool.query(`notify ${PROJECTION_CHANNEL}`);
    return { generation: which, ...tried };
  }

  /**
   * Lets the projection go past the event at `position`, which must be the first of a stream that the live generation set
   * aside, or the one at which it stands, and has what is behind it tried again. An event is skipped once, whoever asks and
   * however often.
   * @throws NoFaultError, FaultElsewhereError
   */
  async skip(position: Position, { reason, ...origin }: SkipAsked): Promise<Skipped> {
    const { pool, projection, commands } = this.options;
    const event = await this.#faultyEvent(position);
    if (event === null) {
      const before = await this.#skippedAt(position);
      if (before !== null) return { outcome: 'skipped_before', position, ...before };
      throw await this.#whyNot(position);
    }
    const skipped = { id: event.id, stream: event.stream, revision: event.revision, type: event.type };
    const command = new SkipEvent(projection, skipped, reason, { ...origin, stripe: null });
    const { outcome } = await commands.execute(command);
    const live = await readLiveCheckpoint(pool, projection);
    if (live !== null) await this.#clear(live.generation, (fault) => fault.position === position);
    await tryStreamAgain(pool, projection, event.stream, position);
    await pool.query(`notify ${PROJECTION_CHANNEL}`);
    if (outcome === 'applied') return { outcome: 'skipped', position, skipped, reason };
    const before = await this.#skippedAt(position);
    return { outcome: 'skipped_before', position, ...(before ?? { skipped, reason }) };
  }

  /** The event at `position` if the live generation stands at a fault there, or set a stream aside from there on. */
  async #faultyEvent(position: Position): Promise<StoredEvent | null> {
    const { store, pool, projection } = this.options;
    const checkpoint = (await readLiveCheckpoint(pool, projection))?.checkpoint;
    if (checkpoint?.fault?.position !== position) return this.#firstSetAside(position);
    const underWay = checkpoint.partialProgress.find((each) => each.position === position);
    if (underWay !== undefined) return (await store.read(underWay.stream, underWay.revision))[0] ?? null;
    const [next] = (await store.readAll(checkpoint.scanned, 1)).events;
    return next?.position === position ? next : null;
  }

  async #firstSetAside(position: Position): Promise<StoredEvent | null> {
    const { rows } = await this.options.pool.query<{ stream: string; revision: number }>(
      `select stream, revision from tenure.set_aside_stream
       where generation = (select generation from tenure.live_generation) and position = $1`,
      [position],
    );
    const [row] = rows;
    if (row === undefined) return null;
    const [event] = await this.options.store.read(row.stream, row.revision);
    return event?.position === position ? event : null;
  }

  /** The skip of the event at `position`; a skip does not say where in this store its event is. */
  async #skippedAt(position: Position): Promise<Pick<Skipped, 'skipped' | 'reason'> | null> {
    const { store, streamPrefix, projection } = this.options;
    for (const { skipped, reason } of await readSkips(store, streamPrefix, projection)) {
      const [event] = await store.read(skipped.stream, skipped.revision);
      if (event?.position === position && event.id === skipped.id) return { skipped, reason };
    }
    return null;
  }

  async #whyNot(position: Position): Promise<NoFaultError | FaultElsewhereError> {
    const live = await readLiveCheckpoint(this.options.pool, this.options.projection);
    const fault = live?.checkpoint.fault ?? (await this.#anySetAside());
    return fault === null
      ? new NoFaultError(live?.generation ?? (await this.#live()))
      : new FaultElsewhereError(position, fault);
  }

  /** The earliest event that the live generation set aside. */
  async #anySetAside(): Promise<ProjectionFault | null> {
    const { rows } = await this.options.pool.query(
      `select position::text, event_type as type, code, message from tenure.set_aside_stream
       where generation = (select generation from tenure.live_generation) order by tenure.set_aside_stream.position limit 1`,
    );
    return rows[0] === undefined ? null : projectionFaultSchema.parse(rows[0]);
  }

  async #clear(
    generation: number,
    isMeant: (fault: ProjectionFault) => boolean,
  ): Promise<ProjectionFault | null> {
    const { pool, projection } = this.options;
    const cleared = await clearFault(pool, { projection, generation }, isMeant);
    if (cleared !== null) await pool.query(`notify ${PROJECTION_CHANNEL}`);
    return cleared;
  }

  async #live(): Promise<number> {
    const { rows } = await this.options.pool.query<{ generation: number }>(
      'select generation from tenure.live_generation',
    );
    const [live] = rows;
    if (live === undefined) throw new Error('no generation is live');
    return live.generation;
  }
}
