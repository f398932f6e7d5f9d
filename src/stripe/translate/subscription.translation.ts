import { canonicalJson, MAX_DEPTH, NotCanonicalError, sha256Hex } from '../../events/canonical-json.js';
import type {
  PauseCollection,
  PendingUpdate,
  PreviousAttributes,
  SubscriptionItem,
  SubscriptionObservationData,
} from '../../events/subscription.events.js';
import type { ClaimReading } from '../../events/user-id.js';
import {
  createdSecond,
  field,
  finite,
  id,
  idOf,
  isStorable,
  items,
  type JsonObject,
  object,
  quantityOf,
  seconds,
  text,
} from './read-json.js';
import { claimInMetadata } from './user-claim.js';

/**
 * Reads a Stripe subscription of any API version; problems name what identifies it and is missing.
 * @throws OutOfRangeError, TooManyEntriesError
 */
export function readSubscription(
  value: JsonObject,
  previousAttributes: unknown,
  claims: ClaimReading,
): SubscriptionObservationData | { readonly problems: readonly string[] } {
  const subscription = id(value.id);
  const status = text(value.status);
  const list = object(value.items);
  if (
    subscription === null ||
    status === null ||
    status === '' ||
    list === null ||
    !Array.isArray(list.data)
  ) {
    return {
      problems: [
        ...(subscription === null ? ['data.object.id must be an id'] : []),
        ...(status === null || status === '' ? ['data.object.status must be a string'] : []),
        ...(list === null || !Array.isArray(list.data) ? ['data.object.items.data must be a list'] : []),
      ],
    };
  }
  const period = periodOf(value);
  const read = readItems(list.data, period);
  return {
    subscription,
    customer: idOf(value.customer),
    status: statusBeside(status, value.customer),
    startedAt:
      seconds(value.start_date, 'data.object.start_date') ??
      createdSecond(value.created, 'data.object.created'),
    items: read,
    itemsTruncated: list.has_more === true,
    cancelAt: seconds(value.cancel_at, 'data.object.cancel_at'),
    cancelAtPeriodEnd: value.cancel_at_period_end === true,
    canceledAt: seconds(value.canceled_at, 'data.object.canceled_at'),
    endedAt: seconds(value.ended_at, 'data.object.ended_at'),
    trialStart: seconds(value.trial_start, 'data.object.trial_start'),
    trialEnd: seconds(value.trial_end, 'data.object.trial_end'),
    pauseCollection: readPause(value.pause_collection),
    collectionMethod: text(value.collection_method),
    pendingUpdate: readPendingUpdate(value.pending_update, period),
    latestInvoice: idOf(value.latest_invoice),
    testClock: idOf(value.test_clock),
    cancellationReason: text(field(value, 'cancellation_details', 'reason')),
    userId: claimInMetadata(value, claims),
    previous: readPrevious(previousAttributes, read, period),
  };
}

const ENDED: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

/** The status of a subscription: one that shows its customer deleted is `canceled`, whatever it says itself (DESIGN 8). */
function statusBeside(status: string, customer: unknown): string {
  return field(customer, 'deleted') === true && !ENDED.has(status) ? 'canceled' : status;
}

interface Period {
  readonly start: number | null;
  readonly end: number | null;
}

/** The period on the subscription itself, where it was before 2025-03-31. */
function periodOf(value: unknown): Period {
  return {
    start: seconds(field(value, 'current_period_start'), 'current_period_start'),
    end: seconds(field(value, 'current_period_end'), 'current_period_end'),
  };
}

/** Items with a price, those marked `deleted` left out; `price` is an object or an id, in old versions `plan` stands for it. */
function readItems(values: readonly unknown[], period: Period): SubscriptionItem[] {
  return items(values).flatMap((value) => readItem(value, period) ?? []);
}

function readItem(value: unknown, period: Period): SubscriptionItem | null {
  const item = object(value);
  if (item === null || item.deleted === true) return null;
  const price = idOf(item.price) ?? idOf(item.plan);
  if (price === null) return null;
  return {
    id: id(item.id),
    price,
    ...readPrice(item.price, item.plan),
    quantity: quantityOf(item.quantity, 'quantity of an item'),
    currentPeriodStart: seconds(item.current_period_start, 'current_period_start of an item') ?? period.start,
    currentPeriodEnd: seconds(item.current_period_end, 'current_period_end of an item') ?? period.end,
  };
}

type PriceFacts = Pick<
  SubscriptionItem,
  'lookupKey' | 'product' | 'unitAmount' | 'currency' | 'usageType' | 'billingScheme'
>;

function readPrice(price: unknown, plan: unknown): PriceFacts {
  return {
    lookupKey: text(field(price, 'lookup_key')),
    product: idOf(field(price, 'product')) ?? idOf(field(plan, 'product')),
    unitAmount:
      object(price) === null
        ? amount(field(plan, 'amount_decimal'), field(plan, 'amount'))
        : amount(field(price, 'unit_amount_decimal'), field(price, 'unit_amount')),
    currency: text(field(price, 'currency')) ?? text(field(plan, 'currency')),
    usageType: text(field(price, 'recurring', 'usage_type')) ?? text(field(plan, 'usage_type')),
    billingScheme: text(field(price, 'billing_scheme')) ?? text(field(plan, 'billing_scheme')),
  };
}

/** A decimal string of minor units: `*_decimal` fields are strings, the others numbers. */
function amount(decimal: unknown, rounded: unknown): string | null {
  const exact = text(decimal);
  if (exact !== null && exact !== '') return exact;
  const number = finite(decimal) ?? finite(rounded);
  return number === null ? null : String(number);
}

function readPause(value: unknown): PauseCollection | null {
  const pause = object(value);
  return pause === null
    ? null
    : { behavior: text(pause.behavior), resumesAt: seconds(pause.resumes_at, 'pause_collection.resumes_at') };
}

function readPendingUpdate(value: unknown, period: Period): PendingUpdate | null {
  const pending = object(value);
  if (pending === null) return null;
  return {
    expiresAt: seconds(pending.expires_at, 'pending_update.expires_at'),
    items: Array.isArray(pending.subscription_items) ? readItems(pending.subscription_items, period) : null,
  };
}

/** The access-bearing fields that `previous_attributes` names, each with the value before the change. */
function readPrevious(
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

/** Quantities and prices of a list of items, as the number of list entries Stripe sent may differ in order. */
export function samePrices(a: readonly SubscriptionItem[], b: readonly SubscriptionItem[]): boolean {
  const key = (list: readonly SubscriptionItem[]): string =>
    list
      .map((item) => item.price)
      .sort()
      .join('\n');
  return key(a) === key(b);
}

/** Whether any item's period differs: a renewal. */
export function periodsMoved(a: readonly SubscriptionItem[], b: readonly SubscriptionItem[]): boolean {
  const key = (list: readonly SubscriptionItem[]): string =>
    items(list)
      .map((_, index) => `${list[index]?.price}@${list[index]?.currentPeriodEnd}`)
      .sort()
      .join('\n');
  return key(a) !== key(b);
}
