import { field, type JsonObject, object } from '../../translate/read-json.js';
import {
  type ImportedList,
  type ImportPage,
  type ImportPagesOptions,
  readListPage,
  shownAs,
} from './list-page.js';

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
      ...(isJudged ? shownAs('invoice', invoice, (shown) => field(shown, 'lines', 'has_more') === true) : []),
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

/** The lists that are read, in their order. */
export const IMPORTED_LISTS = ['subscriptions', 'purchases'] as const;
export type ImportedListName = (typeof IMPORTED_LISTS)[number];

/**
 * The page after an object of a list, the newest first: of subscriptions each with its customer and, while it has not ended,
 * its latest invoice; of purchases, which are completed sessions of mode `payment`, each with its customer and line items.
 * `null` where nothing comes after.
 * @throws StripeUnansweredError, AnswerAheadError
 */
export function readPage(
  options: ImportPagesOptions,
  list: ImportedListName,
  after: string | null,
): Promise<ImportPage | null> {
  return readListPage(options, list === 'subscriptions' ? SUBSCRIPTIONS : PURCHASES, after);
}

function isNeverCut(_shown: JsonObject): boolean {
  return false;
}
