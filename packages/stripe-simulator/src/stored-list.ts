import type { List } from './stored.js';

/** Rows that an object shows of a list inside it (Stripe: the first ten lines of an invoice, or items of a subscription). */
const SHOWN = 10;

/** A list inside an object. */
export function listInside<Row>(rows: readonly Row[], url: string): List<Row> {
  return {
    object: 'list',
    data: rows.slice(0, SHOWN),
    has_more: rows.length > SHOWN,
    total_count: rows.length,
    url,
  };
}
