import type { Account } from '../account.js';
import type { InvoiceLines } from '../account-tables.js';
import type {
  InvoiceItem,
  InvoiceLineItem,
  Metadata,
  Price,
  Subscription,
  SubscriptionItem,
} from '../types.js';
import { amountOf } from './amounts.js';
import type { Period } from './periods.js';

/** A line of an invoice before the invoice has an id. */
export type DraftLine = Omit<InvoiceLineItem, 'id' | 'invoice'>;

interface LineParts {
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly metadata: Metadata;
  readonly parent: InvoiceLineItem['parent'];
  readonly period: Period;
  readonly price: Price | null;
  readonly quantity: number;
  readonly subscription: string | null;
}

/** What an item of a subscription costs in a period. */
export function recurringLine(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  period: Period,
  amount: number,
): DraftLine {
  const metered = item.price.recurring?.usage_type === 'metered';
  const quantity = metered ? account.usageOf(item, period) : (item.quantity ?? 1);
  const name = account.products.find(item.price.product)?.name ?? item.price.product;
  return line({
    amount,
    currency: subscription.currency,
    description: `${quantity} × ${name}`,
    metadata: subscription.metadata,
    parent: subscriptionParent(subscription.id, item.id, null),
    period,
    price: item.price,
    quantity,
    subscription: subscription.id,
  });
}

/** The whole price of an item in a period: what was used of a metered one, nothing in a trial. */
export function fullAmount(account: Account, item: SubscriptionItem, period: Period): number {
  const isMetered = item.price.recurring?.usage_type === 'metered';
  return amountOf(item.price, isMetered ? account.usageOf(item, period) : (item.quantity ?? 1));
}

/** The line that a pending invoice item becomes. */
export function lineOfInvoiceItem(account: Account, item: InvoiceItem): DraftLine {
  const details = item.parent?.subscription_details ?? null;
  const price = account.prices.find(item.pricing?.price_details?.price ?? '') ?? null;
  return line({
    amount: item.amount,
    currency: item.currency,
    description: item.description ?? '',
    metadata: item.metadata ?? {},
    parent:
      details?.subscription_item === undefined
        ? {
            invoice_item_details: {
              invoice_item: item.id,
              proration: item.proration,
              proration_details: { credited_items: null },
              subscription: details?.subscription ?? null,
            },
            subscription_item_details: null,
            type: 'invoice_item_details',
          }
        : subscriptionParent(details.subscription, details.subscription_item, item.id),
    period: item.period,
    price,
    quantity: item.quantity,
    subscription: details?.subscription ?? null,
  });
}

function subscriptionParent(
  subscription: string,
  subscription_item: string,
  invoice_item: string | null,
): InvoiceLineItem['parent'] {
  return {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item,
      proration: invoice_item !== null,
      proration_details: { credited_items: null },
      subscription,
      subscription_item,
    },
    type: 'subscription_item_details',
  };
}

function line(parts: LineParts): DraftLine {
  const { price } = parts;
  return {
    object: 'line_item',
    amount: parts.amount,
    currency: parts.currency,
    description: parts.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    livemode: false,
    metadata: parts.metadata,
    parent: parts.parent,
    period: parts.period,
    pretax_credit_amounts: [],
    pricing:
      price === null
        ? null
        : {
            price_details: { price: price.id, product: price.product },
            type: 'price_details',
            unit_amount_decimal: price.unit_amount_decimal,
          },
    quantity: parts.quantity,
    quantity_decimal: String(parts.quantity),
    subscription: parts.subscription,
    subtotal: parts.amount,
    taxes: [],
  };
}

/** Lines of an invoice that has an id now. */
export function linesOf(account: Account, invoice: string, drafts: readonly DraftLine[]): InvoiceLines {
  return drafts.map((draft) => ({ ...draft, id: account.ids.next('il'), invoice }));
}
