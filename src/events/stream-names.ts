/** Kinds of stream that are about one thing with an id. */
export const STREAM_CATEGORIES = [
  'subscription',
  'customer',
  'checkout',
  'payment',
  'grant',
  'overrides',
  'plan-change',
  'deadline',
  'usage',
  'projection',
  'audit',
] as const;
export type StreamCategory = (typeof STREAM_CATEGORIES)[number];

/** What one stream is about: a Stripe object by its id, a grant by its id, a user's overrides, changes of plan, deadlines or usage by the user's id, what ops did to a projection by its name, what somebody read on one day, or the plan catalogue or the erasures, of which there is one stream each. */
export type StreamSubject =
  | { readonly category: StreamCategory; readonly id: string }
  | { readonly category: 'catalog' | 'erasures' };

/** Stream of a subject, such as `tenure.subscription-sub_1`. `prefix` is the setting `STREAM_PREFIX`. */
export function streamName(prefix: string, subject: StreamSubject): string {
  return 'id' in subject ? `${prefix}${subject.category}-${subject.id}` : `${prefix}${subject.category}`;
}

/** `{prefix}subscription-{sub_…}` */
export function subscriptionStream(prefix: string, id: string): string {
  return `${prefix}subscription-${id}`;
}

/** `{prefix}customer-{cus_…}` */
export function customerStream(prefix: string, id: string): string {
  return `${prefix}customer-${id}`;
}

/** `{prefix}checkout-{cs_…}` */
export function checkoutStream(prefix: string, id: string): string {
  return `${prefix}checkout-${id}`;
}

/** `{prefix}payment-{pi_…}`; of a charge without a payment intent its own id, of a payment record its own. */
export function paymentStream(prefix: string, id: string): string {
  return `${prefix}payment-${id}`;
}

/** `{prefix}grant-{id}` */
export function grantStream(prefix: string, id: string): string {
  return `${prefix}grant-${id}`;
}

/** `{prefix}overrides-{user}` */
export function overridesStream(prefix: string, userId: string): string {
  return `${prefix}overrides-${userId}`;
}

/** `{prefix}plan-change-{user}` */
export function planChangeStream(prefix: string, userId: string): string {
  return `${prefix}plan-change-${userId}`;
}

/** `{prefix}usage-{user}` */
export function usageStream(prefix: string, userId: string): string {
  return `${prefix}usage-${userId}`;
}

/** `{prefix}deadline-{user}`; a user id is any text of up to 255 code units without control characters. */
export function deadlineStream(prefix: string, userId: string): string {
  return `${prefix}deadline-${userId}`;
}

/** `{prefix}projection-{name}` */
export function projectionStream(prefix: string, projection: string): string {
  return `${prefix}projection-${projection}`;
}

/** `{prefix}audit-{day}/{reader}`: a stream for each reader and day (`2026-11-29`, UTC), so that none grows long. */
export function auditStream(prefix: string, day: string, reader: string): string {
  return `${prefix}audit-${day}/${reader}`;
}

/** `{prefix}catalog` */
export function catalogStream(prefix: string): string {
  return `${prefix}catalog`;
}

/** `{prefix}erasures` */
export function erasuresStream(prefix: string): string {
  return `${prefix}erasures`;
}

/** What a stream is about, read from its name; `null` when it is not one of ours or of a kind this code does not know. */
export function parseStreamName(prefix: string, name: string): StreamSubject | null {
  if (!name.startsWith(prefix)) return null;
  const rest = name.slice(prefix.length);
  if (rest === 'catalog' || rest === 'erasures') return { category: rest };
  for (const category of STREAM_CATEGORIES) {
    const start = `${category}-`;
    if (rest.startsWith(start) && rest.length > start.length) {
      return { category, id: rest.slice(start.length) };
    }
  }
  return null;
}
