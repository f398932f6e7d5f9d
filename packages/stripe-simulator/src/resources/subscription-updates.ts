import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { discountsFor } from '../billing/discounts.js';
import { cancellationChanges } from '../billing/subscription-end.js';
import {
  changeSubscription,
  hasEnded,
  itemObject,
  itemsOf,
  nextPeriodEnd,
  spanOf,
} from '../billing/subscription-object.js';
import { updateSubscription } from '../billing/subscription-update.js';
import * as p from '../params.js';
import type { Subscription } from '../types.js';
import { paymentMethodOf } from './payment-methods.js';
import { cancellationDetails, commonFields, itemsAfter } from './subscription-params.js';

/** Parameters of an update. */
export const updateParams = z.strictObject({
  ...commonFields,
  billing_cycle_anchor: z.enum(['now', 'unchanged']).optional(),
  cancellation_details: cancellationDetails,
  pause_collection: p
    .emptyable(
      z.strictObject({
        behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
        resumes_at: p.timestamp.optional(),
      }),
    )
    .optional(),
  proration_date: p.timestamp.optional(),
});
type UpdateParams = z.output<typeof updateParams>;

/** Changes a subscription as the parameters say. @throws ApiError */
export function changedSubscription(
  account: Account,
  before: Subscription,
  params: UpdateParams,
): Subscription {
  const { id } = before;
  const metadata = p.mergeMetadata(before.metadata, params.metadata);
  const details = before.cancellation_details;
  const comments =
    params.cancellation_details === undefined || details === null
      ? {}
      : {
          cancellation_details: {
            ...details,
            comment: params.cancellation_details.comment ?? details.comment,
            feedback: params.cancellation_details.feedback ?? details.feedback,
          },
        };
  if (hasEnded(before) && params.items === undefined && params.cancel_at_period_end === undefined) {
    return changeSubscription(account, id, { metadata, ...comments });
  }
  if (before.schedule !== null) refuseOtherEnd(before.schedule, params);
  if (params.payment_behavior === 'pending_if_incomplete') refuseWhatCannotWait(params);
  const items = itemsOf(account, before);
  const span = spanOf(items);
  const after =
    params.items === undefined
      ? items
      : itemsAfter(account, items, params.items, (parts) => itemObject(account, id, parts, span));
  const method = params.default_payment_method;
  if (method != null) paymentMethodOf(account, method, 'default_payment_method');
  return updateSubscription(account, before, {
    items: after,
    fields: {
      metadata,
      ...comments,
      ...cancellationOf(account, before, params),
      ...(method === undefined ? {} : { default_payment_method: method }),
      ...(params.description === undefined ? {} : { description: params.description }),
      ...(params.collection_method === undefined ? {} : { collection_method: params.collection_method }),
      ...(params.days_until_due === undefined ? {} : { days_until_due: params.days_until_due }),
      ...(params.discounts === undefined
        ? {}
        : { discounts: discountsFor(account, before.customer, params.discounts ?? []) }),
      ...(params.pause_collection === undefined
        ? {}
        : {
            pause_collection:
              params.pause_collection === null
                ? null
                : {
                    behavior: params.pause_collection.behavior,
                    resumes_at: params.pause_collection.resumes_at ?? null,
                  },
          }),
    },
    proration: params.proration_behavior ?? 'create_prorations',
    prorationDate: params.proration_date ?? null,
    behaviour: params.payment_behavior ?? 'allow_incomplete',
    presence: params.off_session === true ? 'off_session' : 'on_session',
    resetsCycle: params.billing_cycle_anchor === 'now' ? 'yes' : 'no',
    trialEnd: params.trial_end === 'now' ? null : params.trial_end,
  });
}

/** A schedule says when its subscription ends. @throws ApiError 400 */
function refuseOtherEnd(schedule: NonNullable<Subscription['schedule']>, params: UpdateParams): void {
  if (params.cancel_at === undefined && params.cancel_at_period_end === undefined) return;
  throw invalidRequest(
    `The subscription is managed by the subscription schedule \`${String(schedule)}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
  );
}

/** What a pending update can hold (Stripe: "Pending updates reference"). */
const CAN_WAIT: readonly string[] = [
  'add_invoice_items',
  'billing_cycle_anchor',
  'discounts',
  'expand',
  'items',
  'off_session',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
  'trial_end',
  'trial_from_plan',
];

/** @throws ApiError 400 */
function refuseWhatCannotWait(params: UpdateParams): void {
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  const other = given.find(([name]) => !CAN_WAIT.includes(name));
  if (other === undefined) return;
  throw invalidRequest(
    `The parameter \`${other[0]}\` is not supported with payment_behavior \`pending_if_incomplete\`.`,
    {
      param: other[0],
    },
  );
}

/** What the parameters of a cancellation change; `cancel_at_period_end: false` takes it back. */
function cancellationOf(
  account: Account,
  before: Subscription,
  params: UpdateParams,
): Partial<ReturnType<typeof cancellationChanges>> {
  const items = itemsOf(account, before);
  if (params.cancel_at_period_end !== undefined) {
    const cancelAt = params.cancel_at_period_end ? spanOf(items).end : null;
    return cancellationChanges(account, before, { cancelAt, atPeriodEnd: params.cancel_at_period_end });
  }
  if (params.cancel_at === undefined) return {};
  const cancelAt =
    params.cancel_at === 'max_period_end'
      ? spanOf(items).end
      : params.cancel_at === 'min_period_end'
        ? nextPeriodEnd(items)
        : params.cancel_at;
  return cancellationChanges(account, before, { cancelAt, atPeriodEnd: false });
}
