import type { ByHandFacts, UserFacts } from '../../policy/facts.js';
import { keptJudgementBytes } from '../../policy/judge.js';
import { keptPaymentBytes } from '../../policy/kept-payments.js';
import type {
  Keepable,
  KeptCheckout,
  KeptCustomer,
  KeptInvoice,
  KeptPayment,
  KeptSubscription,
} from './kept-rows.js';
import type { Kept } from './use-order.js';
import type { UserRow } from './user-row.js';

/** Bytes of a user's row, roughly: of what holds, and of each of what follows by time. */
const SNAPSHOT_BYTES = 700;

/** Bytes of a grant or an override, roughly. */
const BY_HAND_BYTES = 900;

/** What a user is judged by, changed in place: what is made of it is kept with it. */
export interface JudgedFacts extends UserFacts {
  subscriptions: readonly KeptSubscription[];
  purchases: readonly KeptCheckout[];
  byHand: ByHandFacts | undefined;
}

/** Rows in memory by their ids. */
export interface RowsInMemory {
  readonly subscriptions: ReadonlyMap<string, KeptSubscription>;
  readonly customers: ReadonlyMap<string, KeptCustomer>;
  readonly checkouts: ReadonlyMap<string, KeptCheckout>;
  readonly payments: ReadonlyMap<string, KeptPayment>;
  readonly invoices: ReadonlyMap<string, KeptInvoice>;
  readonly users: ReadonlyMap<string, UserRow>;
  readonly byHand: ReadonlyMap<string, ByHandFacts>;
}

/** What a row takes in memory, with what is kept of a user's last judgement; `undefined` when it is gone. */
export function weightOf(
  kind: Keepable,
  id: string,
  rows: RowsInMemory,
  judged: ReadonlyMap<string, JudgedFacts>,
): Kept | undefined {
  switch (kind) {
    case 'subscription': {
      const row = rows.subscriptions.get(id);
      const facts = row === undefined ? [] : [row.observations, row.invoices, row.payments];
      return row && { facts, rest: keptPaymentBytes(row.invoices) };
    }
    case 'customer': {
      const row = rows.customers.get(id);
      return row && { facts: [row.observations], rest: 0 };
    }
    case 'checkout': {
      const row = rows.checkouts.get(id);
      return row && { facts: [row.observations, row.payments], rest: 0 };
    }
    case 'payment': {
      const row = rows.payments.get(id);
      return row && { facts: [row.observations], rest: 0 };
    }
    case 'invoice':
      return rows.invoices.has(id) ? { facts: [], rest: 0 } : undefined;
    case 'user':
      return weightOfUser(rows.users.get(id), rows.byHand.get(id), judged.get(id));
  }
}

function weightOfUser(
  row: UserRow | undefined,
  byHand: ByHandFacts | undefined,
  judged: JudgedFacts | undefined,
): Kept | undefined {
  if (row === undefined && byHand === undefined) return undefined;
  const snapshots = row === undefined ? 0 : 1 + row.successors.length;
  const said = byHand === undefined ? 0 : byHand.grants.length + byHand.overrides.length;
  const kept = judged === undefined ? 0 : keptJudgementBytes(judged);
  return { facts: [], rest: SNAPSHOT_BYTES * snapshots + BY_HAND_BYTES * said + kept };
}
