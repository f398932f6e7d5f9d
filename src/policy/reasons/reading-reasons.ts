import type { PriceReading } from '../price-book.js';
import type { SubscriptionState } from '../subscription-state.js';
import { eventsOf, type Reason, reasonOf, timeOf } from './reason.js';

const BY = {
  lookup_key: 'price_by_lookup_key',
  product: 'price_by_product',
  adoption: 'price_adopted',
} as const satisfies Readonly<Record<Exclude<PriceReading['by'], 'id'>, string>>;

/** Why the items of a subscription are read so, where they do not say it by their price ids alone. */
export function readingReasons(state: SubscriptionState): readonly Reason[] {
  const { itemsFrom, followed } = state;
  const held = (itemsFrom?.data.items ?? []).map(({ price }) => price);
  const prices = new Set(followed?.price == null ? held : [followed.price, ...held]);
  return [...cutReason(state), ...[...prices].sort().flatMap((price) => priceReason(price, state))];
}

function priceReason(price: string, { subscription, book, itemsFrom }: SubscriptionState): readonly Reason[] {
  const of = `price:${subscription}:${price}`;
  const reading = book.readingOf(price);
  if (reading === null) {
    const facts = { subscription, price, itemsSeenAt: timeOf(itemsFrom) };
    return [reasonOf(of, 'price_unmapped', { facts, events: eventsOf(itemsFrom) })];
  }
  if (reading.by === 'id') return [];
  const { by, name, shown } = reading;
  const target = book.planOf(price)?.name ?? book.addonOf(price)?.name ?? null;
  const facts = { subscription, price, target, name, shownAt: timeOf(shown) };
  return [reasonOf(of, BY[by], { facts, events: eventsOf(shown) })];
}

function cutReason({ subscription, newest, itemsFrom }: SubscriptionState): readonly Reason[] {
  if (!newest.data.itemsTruncated) return [];
  const facts = { subscription, cutAt: timeOf(newest), itemsSeenAt: timeOf(itemsFrom) };
  const code = itemsFrom === null ? 'items_never_whole' : 'items_cut';
  return [reasonOf(`items:${subscription}`, code, { facts, events: eventsOf(newest, itemsFrom) })];
}
