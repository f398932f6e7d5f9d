import { z } from 'zod';
import { WEBHOOK_OUTCOMES } from '../observability/metrics.js';
import { ChangeSignal } from '../push/change-signal.js';

/** How many deliveries an instance remembers. */
export const REMEMBERED_DELIVERIES = 500;

/** One delivery and what came of it. Without a good signature it has neither id nor type. */
export const handledDelivery = z.strictObject({
  number: z.int().describe('counts this instance’s deliveries since it started'),
  at: z.string().describe('when it was answered'),
  eventId: z.string().nullable(),
  type: z.string().nullable().describe("Stripe's"),
  outcome: z.enum(WEBHOOK_OUTCOMES),
  detail: z.string().nullable().describe('why it was ignored or refused'),
  event: z.string().nullable().describe('the domain event it became'),
  position: z.string().nullable().describe('of that event in the log'),
  milliseconds: z.number().describe('from the request to the answer'),
  requestId: z.string(),
});
export type HandledDelivery = z.infer<typeof handledDelivery>;

/** A watcher is woken at least this often, in milliseconds; it then looks for news and finds none. */
const LOOK_MS = 60_000;

/** The last deliveries to this instance, in memory: what was recorded is in the log, and other instances have their own. */
export class RecentDeliveries {
  readonly #kept: HandledDelivery[] = [];
  /** Its count is the number of the last delivery. */
  readonly #signal = new ChangeSignal();

  /** Remembers one, under the next number, and tells whoever watches. */
  note(delivery: Omit<HandledDelivery, 'number'>): void {
    this.#kept.push({ number: this.#signal.count + 1, ...delivery });
    if (this.#kept.length > REMEMBERED_DELIVERIES) this.#kept.shift();
    this.#signal.changed();
  }

  /** Those remembered with a number above `number`, the oldest first. */
  after(number: number): readonly HandledDelivery[] {
    return this.#kept.slice(Math.max(0, this.#kept.length - (this.#signal.count - number)));
  }

  /** Comes back once there is one with a number above `number`, after a minute, or when `signal` is aborted. */
  next(number: number, signal: AbortSignal): Promise<void> {
    return this.#signal.after(number, LOOK_MS, signal);
  }
}
