import { field, type JsonObject, object } from '../../translate/read-json.js';
import {
  type ImportedList,
  type ImportPage,
  type ImportPagesOptions,
  readListPage,
  shownAs,
} from './list-page.js';
import { hasCutLines, withInvoicesPaid } from './payment-pages.js';

const ENDED: ReadonlySet<unknown> = new Set(['canceled', 'incomplete_expired']);

/** Subscriptions in every status, with what would else be one more question each (Stripe: "Expanding responses"). */
const SUBSCRIPTIONS: ImportedList = {
  path: '/v1/subscriptions',
  query: { status: 'all', 'expand[0]': 'data.customer', 'expand[1]': 'data.latest_invoice' },
  isWanted: () => true,
  shownWith: (subscription) => {
    const invoice = object(subscription.latest_invoice);
    // A draft asks for nothing, and its lines may still change; of what has ended nothing is judged by an invoice.
    const isJudged = !ENDED.has(subscription.status) && invoice?.status !== 'draft';
    return [
      ...shownAs('customer', subscription.customer, isNeverCut),
      ...shownAs('subscription', subscription, (shown) => field(shown, 'items', 'has_more') === true),
      ...(isJudged ? shownAs('invoice', invoice, hasCutLines) : []),
    ];
  },
};

/** Completed sessions; of which mode they are to be, Stripe's list cannot be told. */
const PURCHASES: ImportedList = {
  path: '/v1/checkout/sessions',
  query: { status: 'complete', 'expand[0]': 'data.customer', 'expand[1]': 'data.line_items' },
  isWanted: ({ mode }) => mode === 'payment',
  shownWith: (session) => [
    ...shownAs('customer', session.customer, isNeverCut),
    ...shownAs('checkout', session, (shown) => field(shown, 'line_items', 'has_more') !== false),
  ],
};

/** Disputes in every status: one that was won may be known as one that takes money. */
const DISPUTES: ImportedList = {
  path: '/v1/disputes',
  query: {},
  isWanted: () => true,
  shownWith: (dispute) => shownAs('dispute', dispute, isNeverCut),
};

/** Refunds: what all of them come to, its charge says. */
const REFUNDS: ImportedList = {
  path: '/v1/refunds',
  query: { 'expand[0]': 'data.charge' },
  isWanted: () => true,
  shownWith: ({ charge }) => shownAs('charge', charge, isNeverCut),
};

/** Early fraud warnings: those that can still be acted on, and of those that the log knows whether they can. */
const WARNINGS: ImportedList = {
  path: '/v1/radar/early_fraud_warnings',
  query: { 'expand[0]': 'data.charge' },
  isWanted: () => true,
  shownWith: (warning) => shownAs('early_fraud_warning', warning, isNeverCut),
};

const LISTS = {
  subscriptions: SUBSCRIPTIONS,
  purchases: PURCHASES,
  disputes: DISPUTES,
  refunds: REFUNDS,
  warnings: WARNINGS,
};

/** The lists that are read, in their order. */
export const IMPORTED_LISTS = ['subscriptions', 'purchases', 'disputes', 'refunds', 'warnings'] as const;
export type ImportedListName = (typeof IMPORTED_LISTS)[number];

/** The list that is read after one; `null` after the last. */
export function listAfter(list: ImportedListName): ImportedListName | null {
  return IMPORTED_LISTS[IMPORTED_LISTS.indexOf(list) + 1] ?? null;
}

/**
 * The page after an object of a list, the newest first, of what was made from a second (Unix) on or, `null`, of all: of subscriptions each with its customer and, while it has not ended,
 * its latest invoice; of purchases, which are completed sessions of mode `payment`, each with its customer and line items; of
 * disputes, of refunds, which are their charges, and of early fraud warnings, each with the invoices that its payment paid,
 * unless the log tells of them.
 * `null` where nothing comes after.
 * @throws StripeUnansweredError, AnswerAheadError
 */
export async function readPage(
  options: ImportPagesOptions,
  list: ImportedListName,
  from: number | null,
  after: string | null,
): Promise<ImportPage | null> {
  const whole = LISTS[list];
  const since = from === null ? {} : { 'created[gte]': String(from) };
  const page = await readListPage(options, { ...whole, query: { ...whole.query, ...since } }, after);
  return page === null || list === 'subscriptions' || list === 'purchases'
    ? page
    : withInvoicesPaid(options, page);
}

function isNeverCut(_shown: JsonObject): boolean {
  return false;
}
