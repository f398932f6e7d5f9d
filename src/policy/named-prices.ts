import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';

/** Beginnings of the unbroken naming of each price, on an item or in a pending update; whole observations only. */
export class NamedPrices {
  /** The last observation, `null` before the first. */
  lastSeen: Observation | null = null;
  /** The last observation before it was named, of each price that is named now. */
  #before = new Map<string, Observation | null>();

  /** The last observation before the price was named without a break. */
  lastBefore(price: string): Observation | null {
    const before = this.#before.get(price);
    return before === undefined ? this.lastSeen : before;
  }

  /** Where an unseen period lies between, what it does not name was not named for a while. */
  breakAt(unseen: readonly SubscriptionItem[]): void {
    const named = new Set(unseen.map(({ price }) => price));
    for (const price of this.#before.keys()) if (!named.has(price)) this.#before.delete(price);
  }

  copy(): NamedPrices {
    const copy = new NamedPrices();
    copy.lastSeen = this.lastSeen;
    copy.#before = new Map(this.#before);
    return copy;
  }

  isSame(other: NamedPrices): boolean {
    return (
      this.lastSeen === other.lastSeen &&
      this.#before.size === other.#before.size &&
      [...this.#before].every(([price, before]) => other.#before.get(price) === before)
    );
  }

  see(observation: Observation): void {
    const { data } = observation;
    const before = new Map<string, Observation | null>();
    for (const { price } of [...data.items, ...(data.pendingUpdate?.items ?? [])]) {
      before.set(price, this.lastBefore(price));
    }
    this.#before = before;
    this.lastSeen = observation;
  }
}
