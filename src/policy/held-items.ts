import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { eachOf } from './growing-list.js';

/** Whether an item is held: one of quantity 0 is not (DESIGN 5 "Shapes"); no quantity is 1. */
export function isHeld({ quantity }: Pick<SubscriptionItem, 'quantity'>): boolean {
  return quantity !== 0;
}

/** Units of an item or line: no quantity is 1. */
export function unitsOf({ quantity }: Pick<SubscriptionItem, 'quantity'>): number {
  return quantity ?? 1;
}

function areHeld(items: readonly SubscriptionItem[] | null | undefined): boolean {
  return items === null || items === undefined || items.every(isHeld);
}

/** The observation with the items that are held, wherever it names items; itself when it names no others. */
export function withHeldItems(observation: Observation): Observation {
  const { data } = observation;
  const { items, previous, pendingUpdate } = data;
  if (areHeld(items) && areHeld(previous?.items) && areHeld(pendingUpdate?.items)) return observation;
  return {
    ...observation,
    data: {
      ...data,
      items: items.filter(isHeld),
      previous:
        previous?.items === undefined ? previous : { ...previous, items: previous.items.filter(isHeld) },
      pendingUpdate:
        pendingUpdate === null
          ? null
          : { ...pendingUpdate, items: pendingUpdate.items?.filter(isHeld) ?? null },
    },
  };
}

/** Observations with the items that are held, in their order. */
export const allWithHeldItems: (ordered: readonly Observation[]) => readonly Observation[] =
  eachOf(withHeldItems);

/** Those whose items were not cut. */
export const wholeOnes: (ordered: readonly Observation[]) => readonly Observation[] = eachOf(
  (observation: Observation) => (observation.data.itemsTruncated ? null : observation),
);
