import { canonicalJson, MAX_DEPTH, NotCanonicalError, sha256Hex } from '../../events/canonical-json.js';
import type {
  PauseCollection,
  PreviousAttributes,
  SubscriptionItem,
} from '../../events/subscription.events.js';
import {
  field,
  idOf,
  isStorable,
  items,
  type JsonObject,
  object,
  quantityOf,
  seconds,
  text,
} from './read-json.js';
import { type Period, periodOf, readItems, readPrice } from './subscription-items.js';

/** The access-bearing fields that `previous_attributes` names, each with the value before the change. */
export function readPrevious(
  value: unknown,
  current: readonly SubscriptionItem[],
  period: Period,
): PreviousAttributes | null {
  const previous = object(value);
  if (previous === null) return null;
  const status = text(previous.status);
  const before = readPreviousItems(previous, current, period);
  return {
    names: items(Object.keys(previous)).filter(isName).sort(),
    digest: digestOf(previous),
    ...(status === null ? {} : { status }),
    ...(before === null ? {} : { items: before }),
    ...(Object.hasOwn(previous, 'cancel_at')
      ? { cancelAt: seconds(previous.cancel_at, 'previous_attributes.cancel_at') }
      : {}),
    ...(Object.hasOwn(previous, 'cancel_at_period_end')
      ? { cancelAtPeriodEnd: previous.cancel_at_period_end === true }
      : {}),
    ...(Object.hasOwn(previous, 'pause_collection')
      ? { pauseCollection: readPause(previous.pause_collection) }
      : {}),
    ...(Object.hasOwn(previous, 'trial_end')
      ? { trialEnd: seconds(previous.trial_end, 'previous_attributes.trial_end') }
      : {}),
  };
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && isStorable(name);
}

/**
 * What tells equal previous values from others. Nothing of them is read by it, so text that cannot be kept passes.
 * @throws NotCanonicalError when they are nested too deep
 */
function digestOf(previous: JsonObject): string {
  try {
    return sha256Hex(canonicalJson(previous));
  } catch (error) {
    if (!(error instanceof NotCanonicalError)) throw error;
    return sha256Hex(canonicalJson(wellFormed(previous, 0)));
  }
}

/** The value with U+FFFD for every half of a pair of surrogates, as far down as canonical JSON goes. */
function wellFormed(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((each) => wellFormed(each, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner, depth + 1)]),
  );
}

/** Old versions name `plan` and `quantity` of a subscription's single item instead of its items. */
function readPreviousItems(
  previous: JsonObject,
  current: readonly SubscriptionItem[],
  period: Period,
): SubscriptionItem[] | null {
  const named = periodOf(previous);
  const before = { start: named.start ?? period.start, end: named.end ?? period.end };
  const list = field(previous, 'items', 'data') ?? previous.items;
  if (Array.isArray(list)) return readItems(list, before);
  const [only] = current;
  if (only === undefined || current.length > 1) return null;
  const plan = object(previous.plan);
  const quantity = quantityOf(previous.quantity, 'previous_attributes.quantity');
  if (plan === null && quantity === null) return null;
  const earlier = plan === null ? only : itemOfPlanBefore(plan, only, before);
  return [{ ...earlier, quantity: quantity ?? only.quantity }];
}

/** Of a plan that was exchanged for another only what differs is named: the product, say, where it is another. */
function itemOfPlanBefore(plan: JsonObject, now: SubscriptionItem, before: Period): SubscriptionItem {
  const named = readPrice(null, plan);
  const price = idOf(plan);
  const names = (...fields: readonly string[]): boolean => fields.some((name) => Object.hasOwn(plan, name));
  return {
    ...now,
    ...(price === null ? {} : { price, lookupKey: null }),
    ...(names('product') ? { product: named.product } : {}),
    ...(names('amount', 'amount_decimal') ? { unitAmount: named.unitAmount } : {}),
    ...(names('currency') ? { currency: named.currency } : {}),
    ...(names('usage_type') ? { usageType: named.usageType } : {}),
    ...(names('billing_scheme') ? { billingScheme: named.billingScheme } : {}),
    currentPeriodStart: before.start,
    currentPeriodEnd: before.end,
  };
}

export function readPause(value: unknown): PauseCollection | null {
  const pause = object(value);
  return pause === null
    ? null
    : { behavior: text(pause.behavior), resumesAt: seconds(pause.resumes_at, 'pause_collection.resumes_at') };
}
