import { z } from 'zod';

/**
 * Metadata keys of a subscription: the upgrade that was begun on it last, as `price x quantity`, the id of that checkout, and
 * the id of the one after which nothing is left to do.
 */
export const MARKS = {
  upgrade: 'tenure_upgrade',
  checkout: 'tenure_checkout',
  followed: 'tenure_followed',
} as const;

/** What a subscription is marked with while an upgrade of it is under way. */
export function upgradeMark(price: string, quantity: number): string {
  return `${price} x ${quantity}`;
}

const idOrObject = z.union([z.string(), z.looseObject({ id: z.string() })]);

/** A subscription as Stripe shows it with its latest invoice whole, as far as what follows a payment asks. */
export const paidSubscription = z.looseObject({
  id: z.string(),
  status: z.string(),
  cancel_at: z.int().nullish(),
  cancel_at_period_end: z.boolean().nullish(),
  canceled_at: z.int().nullish(),
  schedule: idOrObject.nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  pending_update: z.looseObject({}).nullish(),
  latest_invoice: z
    .looseObject({
      id: z.string(),
      status: z.string().nullish(),
      billing_reason: z.string().nullish(),
      created: z.int(),
    })
    .nullish(),
  items: z.looseObject({
    data: z.array(z.looseObject({ quantity: z.int().nullish(), price: z.looseObject({ id: z.string() }) })),
  }),
});
export type PaidSubscription = z.infer<typeof paidSubscription>;

/** What to do with a subscription at Stripe, in this order. */
export interface Deed {
  readonly does: 'release_schedule' | 'update' | 'cancel';
  /** Id of the subscription, or of the schedule that is released. */
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const ENDED: readonly string[] = ['canceled', 'incomplete_expired'];
const GIVING: readonly string[] = ['trialing', 'active', 'past_due'];

/**
 * What a paid upgrade withdraws: a cancellation that was planned before it, and the schedule that would undo it. Nothing
 * while the upgrade is not on the subscription, or not paid.
 */
export function afterUpgrade(subscription: PaidSubscription): readonly Deed[] {
  const { id, status, metadata, items, pending_update: pending, latest_invoice: invoice } = subscription;
  const mark = metadata?.[MARKS.upgrade];
  const isThere = items.data.some(({ price, quantity }) => upgradeMark(price.id, quantity ?? 1) === mark);
  if (metadata?.[MARKS.followed] === metadata?.[MARKS.checkout]) return [];
  if (!mark || !isThere || pending != null || ENDED.includes(status)) return [];
  if (invoice != null && invoice.status !== 'paid') return [];
  return [...released(subscription), { does: 'update', id, params: withdrawal(subscription) }];
}

/** Which checkout was followed is said too, so that a later change by hand is not taken for it, nor a later checkout for this one. */
function withdrawal(subscription: PaidSubscription): Readonly<Record<string, unknown>> {
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd, canceled_at: askedAt } = subscription;
  const { latest_invoice: invoice } = subscription;
  const metadata = { [MARKS.followed]: subscription.metadata?.[MARKS.checkout] ?? '' };
  const isLater =
    askedAt != null && invoice?.billing_reason === 'subscription_update' && askedAt > invoice.created;
  if (isLater) return { metadata };
  if (atPeriodEnd === true) return { metadata, cancel_at_period_end: false };
  return at == null ? { metadata } : { metadata, cancel_at: '' };
}

/**
 * What ends a subscription that a purchase takes the place of: one that gives something ends with its period, one that gives
 * nothing at once.
 */
export function afterPurchase(subscription: PaidSubscription): readonly Deed[] {
  const { id, status, cancel_at: at, cancel_at_period_end: atPeriodEnd } = subscription;
  if (ENDED.includes(status)) return [];
  if (!GIVING.includes(status)) return [...released(subscription), { does: 'cancel', id, params: {} }];
  // An upgrade whose page is still open would take the end back: as if it were followed already, it does not.
  const { [MARKS.checkout]: begun, [MARKS.followed]: followed } = subscription.metadata ?? {};
  const marks = begun === undefined || begun === followed ? {} : { metadata: { [MARKS.followed]: begun } };
  const isEnding = atPeriodEnd === true || at != null;
  const params = { ...marks, ...(isEnding ? {} : { cancel_at_period_end: true }) };
  if (Object.keys(params).length === 0) return [];
  return [...(isEnding ? [] : released(subscription)), { does: 'update', id, params }];
}

function released({ schedule }: PaidSubscription): readonly Deed[] {
  if (schedule == null) return [];
  return [
    { does: 'release_schedule', id: typeof schedule === 'string' ? schedule : schedule.id, params: {} },
  ];
}
