import { z } from 'zod';

/** How often one instance notes that deliveries come, in milliseconds. */
const WRITE_EVERY_MS = 10_000;

const silentRow = z.object({ seconds: z.coerce.number() }).optional();

/**
 * When Stripe last delivered something that counts, to any instance: the receipt of one is news to all. It is noted in the
 * database now and then, behind the replies; what was delivered is in the log. The clock is the database's.
 */
export class DeliveryHeartbeat {
  readonly #began: number;
  #heardAt: number | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | null = null;

  /** `onTrouble` hears why a note has to wait for the next delivery; `clock` counts milliseconds, from whenever. */
  constructor(
    private readonly pool: { query(text: string): Promise<{ readonly rows: readonly unknown[] }> },
    private readonly onTrouble: (error: unknown) => void,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.#began = clock();
  }

  /** Notes a delivery with a good signature and of our mode, whatever came of it. Waits for nothing. */
  note(): void {
    this.#heardAt = this.clock();
    if (this.#writing !== null || this.#heardAt - this.#writtenAt < WRITE_EVERY_MS) return;
    this.#writtenAt = this.#heardAt;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /**
   * Seconds since the last delivery to any instance, or since this one started, whichever is later: one that was just
   * started has not listened for long. Up to ten seconds more than it is where another instance got the last ones.
   */
  async silentSeconds(): Promise<number> {
    const own = (this.clock() - (this.#heardAt ?? this.#began)) / 1_000;
    const { rows } = await this.pool.query(
      'select extract(epoch from now() - received_at)::text as seconds from tenure.webhook_contact',
    );
    const noted = silentRow.parse(rows[0]);
    return Math.max(0, Math.min(own, noted?.seconds ?? Number.POSITIVE_INFINITY));
  }

  /** Comes back when nothing is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      await this.pool.query(
        `insert into tenure.webhook_contact as c (id, received_at) values (1, now())
         on conflict (id) do update set received_at = greatest(c.received_at, excluded.received_at)`,
      );
    } catch (error) {
      this.onTrouble(error);
    }
  }
}
