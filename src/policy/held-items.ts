import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { eachOf, isKept } from './growing-list.js';

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

const eachWithHeldItems = eachOf(withHeldItems);

/** Observations with the items that are held, in their order: the list itself where it is short and names no others. */
export function allWithHeldItems(ordered: readonly Observation[]): readonly Observation[] {
  return isKept(ordered) || !ordered.every(namesHeldItems) ? eachWithHeldItems(ordered) : ordered;
}

function namesHeldItems(observation: Observation, nth: number, ordered: readonly Observation[]): boolean {
  return namesTheSame(ordered[nth - 1], observation) || withHeldItems(observation) === observation;
}

const eachWhole = eachOf((observation: Observation) => (isCut(observation) ? null : observation));

/** Those whose items were not cut: the list itself where it is short and has no others. */
export function wholeOnes(ordered: readonly Observation[]): readonly Observation[] {
  return isKept(ordered) || ordered.some(isCut) ? eachWhole(ordered) : ordered;
}

function isCut({ data }: Observation): boolean {
  return data.itemsTruncated;
}

/**
 * Whether an observation names the same items as the one before it, in one and the same list, and none beside them: as facts
 * that are kept have them (`withSharedParts`). Of others it may say no where they are equal.
 */
export function namesTheSame(before: Observation | null | undefined, { data }: Observation): boolean {
  return (
    before?.data.items === data.items &&
    before.data.itemsTruncated === data.itemsTruncated &&
    before.data.pendingUpdate === null &&
    data.pendingUpdate === null &&
    data.previous?.items === undefined
  );
}
