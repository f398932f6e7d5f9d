import type { PlanCatalog } from '../../../src/events/catalog.events.js';
import type { CheckoutObservation, PurchaseFacts } from '../../../src/policy/facts.js';
import { distinct } from './order.js';
import type { Meaning } from './prices.js';
import { wasTakenBack } from './taken-back.js';

/** What a session of mode `payment` gives ("Purchases", DESIGN 8): plans in units, or the word that it says instead. */
export interface Bought {
  readonly id: string;
  readonly customer: string | null;
  readonly seen: number;
  readonly plans: readonly { readonly plan: Extract<Meaning, { kind: 'plan' }>; readonly quantity: number }[];
  readonly word: 'unpaid' | null;
}

const inOrder = (facts: readonly CheckoutObservation[]): CheckoutObservation[] =>
  distinct(facts).sort((a, b) => a.created - b.created || (a.eventId < b.eventId ? -1 : 1));

/** The purchases of a user that were paid. */
export function boughtBy(purchases: readonly PurchaseFacts[], catalog: PlanCatalog): Bought[] {
  return purchases.flatMap((purchase): Bought[] => {
    const told = inOrder(purchase.observations);
    const last = told.at(-1);
    const isPaid = told.some(
      ({ type, data }) =>
        type === 'CheckoutPaymentSucceeded' ||
        ((type === 'CheckoutCompleted' || (type === 'CheckoutRetrieved' && data.status === 'complete')) &&
          ['paid', 'no_payment_required'].includes(data.paymentStatus ?? '')),
    );
    if (last === undefined || !isPaid || !told.some(({ data }) => data.mode === 'payment')) return [];
    const lists = told.flatMap(({ data }) => (data.lineItems === null ? [] : [data.lineItems]));
    const { started } = purchase;
    const lines = lists.at(-1) ?? (started === null ? [] : [{ ...started, lookupKey: null, product: null }]);
    const sold = lines.flatMap(({ price, lookupKey, product, quantity }) => {
      for (const name of [price, lookupKey, product]) {
        const entry = name === null ? undefined : entryOf(catalog, name);
        if (entry === undefined) continue;
        return entry.lifetime !== null && quantity !== 0
          ? [{ plan: entry.lifetime, quantity: quantity ?? 1 }]
          : [];
      }
      return [];
    });
    const asked = told.findLast(({ data }) => data.amountTotal !== null)?.data;
    const intents = told.flatMap(({ data }) => data.paymentIntent ?? []);
    const isGone =
      sold.length > 0 &&
      wasTakenBack(intents, distinct(purchase.payments), catalog.policy, {
        amount: asked?.amountTotal ?? null,
        currency: asked?.currency ?? null,
      });
    return [
      {
        id: purchase.session,
        customer: told.findLast(({ data }) => data.customer !== null)?.data.customer ?? null,
        seen: last.created,
        plans: isGone ? [] : sold,
        word: isGone ? 'unpaid' : null,
      },
    ];
  });
}

/** Where the catalogue lists a name; `lifetime` is the plan of which it is a price bought once. */
function entryOf(
  { plans, addons }: PlanCatalog,
  name: string,
): { readonly lifetime: Extract<Meaning, { kind: 'plan' }> | null } | undefined {
  for (const [planName, plan] of Object.entries(plans)) {
    for (const [label, listed] of Object.entries(plan.prices)) {
      if (![listed].flat().includes(name)) continue;
      return { lifetime: label === 'lifetime' ? { kind: 'plan', name: planName, plan } : null };
    }
  }
  return Object.values(addons).some(({ prices }) => prices.includes(name)) ? { lifetime: null } : undefined;
}
