import type { FactQueries } from './fact-queries.js';
import { readPayments } from './fact-rows.js';
import type { Keepable, KeptInvoice, KeptPayment, KeptSubscription } from './kept-rows.js';
import type { WorkingSet } from './working-set.js';

/** What is joined to a subscription, or to a session. */
type JoinedPayments = Pick<KeptSubscription, 'payments' | 'joined'>;

/** Brings payments, and the invoices that are named with them, of one generation into memory, each once: as `FactsLoader`. */
export class PaymentsLoader {
  constructor(
    private readonly queries: FactQueries,
    private readonly workingSet: WorkingSet,
  ) {}

  /** Payments by some of their ids; unknown ones become empty rows. */
  async payments(ids: Iterable<string>): Promise<void> {
    const missing = this.#missing('payment', ids);
    if (missing.length === 0) return;
    const rows = await this.queries.payments(missing);
    const told = new Map(rows.map((row) => [row.payment, { ...row, facts: factsOf(row.facts) }]));
    for (const payment of missing) {
      if (this.workingSet.payments.has(payment)) continue;
      const row = told.get(payment);
      this.workingSet.payments.set(payment, {
        payment,
        observations: row?.facts ?? [],
        others: new Set(row?.others),
        invoices: new Set(row?.invoices),
        sessions: new Set(row?.sessions),
        isJoined: row?.joined ?? false,
      });
    }
  }

  /** One payment by one of its ids, loaded when it is missing. */
  async payment(id: string): Promise<KeptPayment> {
    await this.payments([id]);
    const row = this.workingSet.payments.get(id);
    if (row === undefined) throw new Error('a payment was loaded and is not there');
    return row;
  }

  /** Invoices, in the order of their ids as given; unknown ones become empty rows. */
  async invoices(ids: Iterable<string>): Promise<readonly KeptInvoice[]> {
    const asked = [...new Set(ids)];
    const missing = this.#missing('invoice', asked);
    if (missing.length > 0) {
      const read = new Map((await this.queries.invoices(missing)).map((row) => [row.invoice, row]));
      for (const invoice of missing) {
        if (this.workingSet.invoices.has(invoice)) continue;
        const row = read.get(invoice);
        this.workingSet.invoices.set(invoice, {
          invoice,
          payments: new Set(row?.payments),
          subscriptions: new Set(row?.subscriptions),
        });
      }
    }
    return asked.flatMap((invoice) => this.workingSet.invoices.get(invoice) ?? []);
  }

  /** Reads the facts of payments that are joined to subscriptions, or sessions; answers what each of these has by their ids. */
  async joined(ids: readonly string[]): Promise<(ids: readonly string[]) => JoinedPayments> {
    const rows = ids.length === 0 ? [] : await this.queries.payments([...new Set(ids)]);
    const told = new Map(rows.map(({ payment, facts }) => [payment, factsOf(facts)]));
    return (own) => ({ payments: own.flatMap((id) => told.get(id) ?? []), joined: new Set(own) });
  }

  /** Of the ids those that are not in memory; all of them are used. */
  #missing(kind: 'payment' | 'invoice', ids: Iterable<string>): readonly string[] {
    const known = kind === 'payment' ? this.workingSet.payments : this.workingSet.invoices;
    return missingOf(kind, ids, known, this.workingSet);
  }
}

/** Of the ids those that are not `known`, each once; all of them are used. */
export function missingOf(
  kind: Keepable,
  ids: Iterable<string>,
  known: { has(id: string): boolean },
  workingSet: Pick<WorkingSet, 'use'>,
): readonly string[] {
  let missing: Set<string> | null = null;
  for (const id of ids) {
    workingSet.use(kind, id);
    if (known.has(id)) continue;
    missing ??= new Set();
    missing.add(id);
  }
  return missing === null ? NONE : [...missing];
}

const NONE: readonly string[] = [];

function factsOf(text: string | null): KeptPayment['observations'] {
  return text === null ? [] : readPayments(text);
}
