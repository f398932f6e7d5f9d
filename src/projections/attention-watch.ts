import { OnceADay } from '../observability/once-a-day.js';
import type { AttentionCounts } from '../observability/watched-gauges.js';
import type { AttentionReader } from './read-models/attention.reader.js';

export interface AttentionWatchOptions {
  readonly attention: AttentionReader;
  /** Whether this instance is the one that warns. */
  readonly isOurs: () => boolean;
  readonly warn: (details: object, message: string) => void;
  readonly onTrouble: (error: unknown) => void;
  /** How often the read models are looked at. */
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;
const LISTED_AT_ONCE = 100;

/**
 * Looks now and then for what is right by the rules and yet may be a mistake: prices in no plan, whether they give nothing
 * or count as a plan's own, and upgrades for which there is no invoice. The counts are for metrics; of each price and each such user one warning a day is written, where the
 * instance is the one that warns.
 */
export class AttentionWatch {
  readonly #warned = new OnceADay();
  #counts: AttentionCounts | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(private readonly options: AttentionWatchOptions) {}

  /** What the last look counted; `null` before the first. */
  get counts(): AttentionCounts | null {
    return this.#counts;
  }

  /** Looks at once, then every minute. */
  start(): void {
    const look = (): void => {
      this.#looking = this.#look().finally(() => {
        if (this.#timer !== null) this.#timer = setTimeout(look, this.options.everyMs ?? EVERY_MS);
      });
    };
    this.#timer = setTimeout(look, 0);
  }

  /** Comes back when no look is under way. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { attention, isOurs, warn, onTrouble } = this.options;
    try {
      this.#counts = await attention.counts();
      if (!isOurs()) return;
      const { unmappedPrices, adoptedPrices, pendingWithoutInvoice } = this.#counts;
      if (unmappedPrices + adoptedPrices > 0) {
        for (const { price, users, adopted } of (await attention.unmappedPrices(null, LISTED_AT_ONCE))
          .items) {
          if (users > 0 && this.#warned.isDue(`price ${price}`))
            warn({ price, users }, 'a price is in no plan and gives nothing');
          if (adopted.users > 0 && this.#warned.isDue(`adopted price ${price}`))
            warn(
              { price, ...adopted },
              "a price is in no plan and counts as a plan's own for those who moved to it",
            );
        }
      }
      if (pendingWithoutInvoice > 0 && this.#warned.isDue('pending without invoice')) {
        warn(
          { users: pendingWithoutInvoice },
          'users wait for the payment of an upgrade for which there is no invoice',
        );
      }
    } catch (error) {
      onTrouble(error);
    }
  }
}
