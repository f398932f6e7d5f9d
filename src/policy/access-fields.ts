import type { PauseCollection, SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { isHeld } from './held-items.js';

/**
 * The access-bearing fields of a subscription (DESIGN 5.3): what an observation either names in its
 * `previous_attributes` with the value before it, or leaves unchanged.
 */
export type AccessField =
  | 'status'
  | 'items'
  | 'cancelAt'
  | 'cancelAtPeriodEnd'
  | 'pauseCollection'
  | 'trialEnd';

/** One comparable string per access-bearing field; equal strings are equal values. */
export type AccessState = Readonly<Record<AccessField, string>>;

/** What an observation says was before it: only the fields its `previous_attributes` named. */
export type AccessBefore = Readonly<Partial<Record<AccessField, string>>>;

const FIELDS: readonly AccessField[] = [
  'status',
  'items',
  'cancelAt',
  'cancelAtPeriodEnd',
  'pauseCollection',
  'trialEnd',
];

/** Types without `previous_attributes` may change what their name says. */
const CHANGES_BY_NAME: ReadonlyMap<string, AccessField> = new Map([
  ['customer.subscription.paused', 'status'],
  ['customer.subscription.resumed', 'status'],
  ['customer.subscription.pending_update_applied', 'items'],
]);

/** What ordering asks of one observation. */
export interface AccessSight {
  readonly stripeType: string;
  readonly state: AccessState;
  readonly named: AccessBefore;
  /** Equal keys are the same access. */
  readonly key: string;
  /** Whether it says that something of access changed: by name in `previous_attributes`, or by its type. */
  readonly changes: boolean;
}

const sights = new WeakMap<Observation, AccessSight>();

/** What ordering asks of an observation; made once for each that shares its second with another. */
export function accessSightOf(observation: Observation): AccessSight {
  const known = sights.get(observation);
  if (known !== undefined) return known;
  const state = accessStateOf(observation);
  const named = accessBefore(observation);
  const { stripeType } = observation;
  const changes = CHANGES_BY_NAME.has(stripeType) || Object.keys(named).length > 0;
  const sight = { stripeType, state, named, key: accessKey(state), changes };
  sights.set(observation, sight);
  return sight;
}

/** The access-bearing fields as an observation leaves them. */
export function accessStateOf({ data }: Observation): AccessState {
  return {
    status: data.status,
    items: itemsKey(data.items),
    cancelAt: String(data.cancelAt),
    cancelAtPeriodEnd: String(data.cancelAtPeriodEnd),
    pauseCollection: pauseKey(data.pauseCollection),
    trialEnd: String(data.trialEnd),
  };
}

/** The access-bearing fields that an observation names with the value before it. */
export function accessBefore({ data: { previous } }: Observation): AccessBefore {
  if (previous === null) return {};
  return {
    ...(previous.status === undefined ? {} : { status: previous.status }),
    ...(previous.items === undefined ? {} : { items: itemsKey(previous.items) }),
    ...(previous.cancelAt === undefined ? {} : { cancelAt: String(previous.cancelAt) }),
    ...(previous.cancelAtPeriodEnd === undefined
      ? {}
      : { cancelAtPeriodEnd: String(previous.cancelAtPeriodEnd) }),
    ...(previous.pauseCollection === undefined
      ? {}
      : { pauseCollection: pauseKey(previous.pauseCollection) }),
    ...(previous.trialEnd === undefined ? {} : { trialEnd: String(previous.trialEnd) }),
  };
}

/** Whether an observation can come directly after a state: each field is named with that value, or unchanged. */
export function canFollow(
  before: AccessState,
  observation: { stripeType: string; state: AccessState; named: AccessBefore },
): boolean {
  const free = CHANGES_BY_NAME.get(observation.stripeType);
  return FIELDS.every((field) => {
    const named = observation.named[field];
    if (named !== undefined) return named === before[field];
    return field === free || observation.state[field] === before[field];
  });
}

/** A key under which two states are the same access. */
export function accessKey(state: AccessState): string {
  return JSON.stringify(FIELDS.map((field) => state[field]));
}

/** Prices and quantities of what is held as a multiset: neither item ids nor the order of the list bear access. */
function itemsKey(items: readonly SubscriptionItem[]): string {
  return JSON.stringify(
    items
      .filter(isHeld)
      .map((item) => JSON.stringify([item.price, item.quantity]))
      .sort(),
  );
}

function pauseKey(pause: PauseCollection | null): string {
  return pause === null ? 'null' : JSON.stringify([pause.behavior, pause.resumesAt]);
}
