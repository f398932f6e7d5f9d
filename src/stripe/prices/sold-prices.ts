import type { Pool } from 'pg';
import { z } from 'zod';
import { inTime } from '../../observability/in-time.js';
import { readSoldPrice, type SoldPrice, soldPriceSchema } from '../gateway/sold-price.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';

/** Milliseconds after which what Stripe said of a price is asked anew. */
export const PRICE_MAX_AGE_MS = 10 * 60_000;
/** Milliseconds before Stripe is asked again for what it did not answer. */
const AGAIN_AFTER_MS = 10_000;
/** Milliseconds that who asks for prices waits for those of which nothing is known yet. */
const WAIT_MS = 5_000;
/** Milliseconds that one request may wait for its turn at Stripe: others wait for Stripe too. */
const PATIENCE_MS = 5_000;

export interface SoldPricesOptions {
  readonly pool: Pick<Pool, 'query'>;
  /** `null`: Stripe is never asked, and nothing is known of any price. */
  readonly gateway: Pick<StripeGateway, 'at' | 'page'> | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly maxAgeMs?: number;
  /** Hears why prices stay as they were. */
  readonly onTrouble: (error: unknown) => void;
}

/** What is known of a name of the catalogue: `price` null where Stripe has none. */
interface Known {
  readonly price: SoldPrice | null;
  /** Unix milliseconds. */
  readonly readAt: number;
}

const row = z.object({
  name: z.string(),
  price: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : soldPriceSchema.parse(JSON.parse(text)))),
  read_at: z.date().transform((at) => at.getTime()),
});

/**
 * The prices that the catalogue names, as Stripe sells them: from memory, behind that PostgreSQL, which the instances share,
 * behind that Stripe. What is older than its age is told once more while it is asked anew behind the reply.
 */
export class SoldPrices {
  readonly #known = new Map<string, Known>();
  #refreshing: Promise<void> | null = null;
  /** Names that were asked for since what is under way began: it goes on with them. */
  readonly #wanted = new Set<string>();
  #againAt = 0;

  constructor(private readonly options: SoldPricesOptions) {}

  /**
   * The prices of these names; a name is left out where Stripe has none, or did not answer in a few seconds. Stripe is
   * never waited for when all of them were ever known.
   */
  async of(names: readonly string[]): Promise<ReadonlyMap<string, SoldPrice>> {
    const { gateway, now } = this.options;
    if (gateway !== null && names.some((name) => this.#isStale(name))) {
      if (now() >= this.#againAt) this.#refresh(gateway, names);
      if (this.#refreshing !== null && names.some((name) => !this.#known.has(name))) {
        await inTime(this.#refreshing, WAIT_MS);
      }
    }
    return new Map(
      names.flatMap((name) => {
        const price = this.#known.get(name)?.price ?? null;
        return price === null ? [] : [[name, price]];
      }),
    );
  }

  /** Comes back when nothing is asked or written any more. */
  async close(): Promise<void> {
    await this.#refreshing;
  }

  #isStale(name: string): boolean {
    const { now, maxAgeMs = PRICE_MAX_AGE_MS } = this.options;
    const known = this.#known.get(name);
    return known === undefined || now() - known.readAt >= maxAgeMs;
  }

  #refresh(gateway: Pick<StripeGateway, 'at' | 'page'>, names: readonly string[]): void {
    for (const name of names) this.#wanted.add(name);
    this.#refreshing ??= this.#readWanted(gateway);
  }

  /** Reads until no name is wanted. In the very turn in which it sees that another may begin, so that no name is left between. */
  async #readWanted(gateway: Pick<StripeGateway, 'at' | 'page'>): Promise<void> {
    try {
      await Promise.resolve(); // it is noted as under way before it can end
      while (this.#wanted.size > 0) {
        const names = [...this.#wanted];
        this.#wanted.clear();
        await this.#read(gateway, names);
      }
    } catch (error) {
      this.#wanted.clear();
      this.#againAt = this.options.now() + AGAIN_AFTER_MS;
      this.options.onTrouble(error);
    } finally {
      this.#refreshing = null;
    }
  }

  /** Takes what another instance read, and asks Stripe for the rest. */
  async #read(gateway: Pick<StripeGateway, 'at' | 'page'>, names: readonly string[]): Promise<void> {
    const { pool, now } = this.options;
    const stale = names.filter((name) => this.#isStale(name));
    const { rows } = await pool.query(
      'select name, price, read_at from tenure.sold_price where name = any($1)',
      [stale],
    );
    for (const { name, price, read_at } of z.array(row).parse(rows)) {
      const known = this.#known.get(name);
      if (known === undefined || known.readAt < read_at) this.#known.set(name, { price, readAt: read_at });
    }
    for (const name of stale.filter((each) => this.#isStale(each))) {
      const price = await readSoldPrice(gateway, name, PATIENCE_MS);
      const readAt = now();
      this.#known.set(name, { price, readAt });
      await pool.query(
        `insert into tenure.sold_price as kept (name, price, read_at) values ($1, $2, $3)
         on conflict (name) do update set price = excluded.price, read_at = excluded.read_at
         where kept.read_at < excluded.read_at`,
        [name, price === null ? null : JSON.stringify(price), new Date(readAt)],
      );
    }
  }
}
