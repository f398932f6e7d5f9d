import { z } from 'zod';
import type { AccessPolicy } from '../../../events/catalog.events.js';
import { type Finding, some } from './finding.js';

const DAY_S = 86_400;

const portalSchema = z.looseObject({
  id: z.string(),
  features: z.looseObject({
    subscription_update: z.looseObject({ enabled: z.boolean(), proration_behavior: z.string().nullish() }),
  }),
});

const invoiceItemSchema = z.looseObject({
  id: z.string(),
  amount: z.number(),
  proration: z.boolean().optional(),
});

const overdueSchema = z.looseObject({
  id: z.string(),
  latest_invoice: z
    .looseObject({ created: z.number(), next_payment_attempt: z.number().nullish() })
    .or(z.string())
    .nullish(),
});

/** Whether an upgrade waits until it is paid, and so must be billed at once. */
function upgradesWait({ requirePaymentForUpgrade, upgradeWithoutInvoice }: AccessPolicy): boolean {
  return requirePaymentForUpgrade && upgradeWithoutInvoice === 'wait';
}

/** @param configurations active ones of the customer portal */
export function checkPortal(configurations: readonly unknown[], policy: AccessPolicy): readonly Finding[] {
  if (!upgradesWait(policy)) return [];
  return configurations
    .map((object) => portalSchema.parse(object))
    .filter(({ features: { subscription_update: update } }) => {
      return update.enabled && update.proration_behavior !== 'always_invoice';
    })
    .map(({ id }) => ({
      code: 'portal_leaves_upgrades_unbilled',
      says: `Upgrades in the customer portal (${id}) are not billed before the renewal, so they wait until then.`,
      remedy:
        'Have the portal invoice prorations at once, or set policy.upgradeWithoutInvoice: allow in the plan file.',
    }));
}

/** @param items invoice items that no invoice has yet */
export function checkPendingItems(items: readonly unknown[], policy: AccessPolicy): readonly Finding[] {
  if (!upgradesWait(policy)) return [];
  const owed = items
    .map((object) => invoiceItemSchema.parse(object))
    .filter(({ proration, amount }) => proration === true && amount > 0);
  if (owed.length === 0) return [];
  return [
    {
      code: 'updates_left_unbilled',
      says: `Prorations of ${owed.length} changes wait for the next renewal: ${some(owed.map(({ id }) => id))}.`,
      remedy:
        'Update subscriptions with proration_behavior: always_invoice, or set policy.upgradeWithoutInvoice: allow.',
    },
  ];
}

/** @param subscriptions those that are `past_due`, with their latest invoice */
export function checkDunning(subscriptions: readonly unknown[], policy: AccessPolicy): readonly Finding[] {
  const grace = policy.pastDueGraceDays;
  const longest = subscriptions
    .map((object) => overdueSchema.parse(object).latest_invoice)
    .flatMap((invoice) => {
      if (invoice == null || typeof invoice === 'string' || invoice.next_payment_attempt == null) return [];
      return (invoice.next_payment_attempt - invoice.created) / DAY_S;
    })
    .reduce((most, days) => Math.max(most, days), 0);
  if (longest <= grace) return [];
  return [
    {
      code: 'dunning_outlasts_grace',
      says: `Stripe still tries to collect ${Math.ceil(longest)} days after an invoice; the grace is ${grace} days.`,
      remedy:
        'Raise policy.pastDueGraceDays to what Stripe retries for, or accept that access ends before the last try.',
    },
  ];
}
