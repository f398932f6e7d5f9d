import type { Pool } from 'pg';

const WRITE_EVERY_MS = 30_000;

/** When keys were last used, written now and then: no request waits for it, and most write nothing. */
export class LastUse {
  #used = new Map<string, number>();
  /** The last write; resolved where none is under way. */
  #writing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  /** `onTrouble` hears why a write has to wait for the next one. */
  constructor(
    private readonly pool: Pool,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.#timer = setInterval(() => void this.write(), WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** Notes that the key was used at `now` (Unix ms). */
  note(id: string, now: number): void {
    this.#used.set(id, now);
  }

  /** Writes what was noted since the last time, behind a write that is under way; a later use that another instance wrote stays. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeNoted());
    return this.#writing;
  }

  /** Writes what is left, also where a write that was under way failed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  async #writeNoted(): Promise<void> {
    const used = this.#used;
    if (used.size === 0) return;
    this.#used = new Map();
    try {
      await this.pool.query(
        // Locked in one order: instances that write at the same time wait for each other, in no circle.
        `with own as (select id from tenure.api_key where id = any($1) order by id for update)
         update tenure.api_key k set last_used_at = greatest(k.last_used_at, u.at)
         from own join unnest($1::text[], $2::timestamptz[]) as u(id, at) using (id) where k.id = own.id`,
        [[...used.keys()], [...used.values()].map((at) => new Date(at).toISOString())],
      );
    } catch (error) {
      for (const [id, at] of used) if (!this.#used.has(id)) this.#used.set(id, at);
      this.onTrouble(error);
    }
  }
}
