import type { EventLog } from './log.js';
import type { ReadCall, ReadOptions } from './read-call.js';
import { Subscription } from './subscription.js';
import { sourceOf } from './subscription-source.js';
import type { WireStatus } from './wire-status.js';

/** The open subscriptions of a server. */
export class Subscriptions {
  readonly #log: EventLog;
  readonly #open = new Set<Subscription>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /** @throws BadRequestError for a filter that is none */
  open(call: ReadCall, options: ReadOptions): void {
    const source = sourceOf(this.#log, options);
    if ('code' in source) {
      call.emit('error', source);
      return;
    }
    const subscription = new Subscription(call, this.#log, source);
    this.#open.add(subscription);
    const forget = () => this.#open.delete(subscription);
    call.on('cancelled', forget);
    call.on('close', forget);
    call.on('finish', forget);
    subscription.start();
  }

  /** Ends all of them without an error. */
  end(): void {
    for (const subscription of this.#open) subscription.end();
  }

  /** Ends all of them with `status`. */
  fail(status: WireStatus): void {
    for (const subscription of this.#open) subscription.fail(status);
  }

  /** Those open now stay open and deliver nothing any more; later ones work. */
  silence(): void {
    for (const subscription of this.#open) subscription.silence();
  }
}
