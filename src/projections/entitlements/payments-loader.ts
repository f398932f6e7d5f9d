import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import { readPayments } from './fact-rows.js';
import type { Keepable, KeptInvoice, KeptPayment, KeptSubscription } from './kept-rows.js';
import type { WorkingSet } from './working-set.js';

const paymentRow = z.object({
  payment: z.string(),
  joined: z.boolean(),
  facts: z.string(),
});
const joinRow = z.object({
  id: z.string(),
  other_kind: z.enum(['payment', 'invoice', 'session', 'subscription']),
  other: z.string(),
});
const joinedRow = z.object({ id: z.string(), payment: z.string(), facts: z.string() });

/** Brings payments, and the invoices that are named with them, of one generation into memory, each once. */
export class PaymentsLoader {
  constructor(
    private readonly pool: Statements,
    private readonly generation: number,
    private readonly workingSet: WorkingSet,
  ) {}

  /** Payments by some of their ids; unknown ones become empty rows. */
  async payments(ids: Iterable<string>): Promise<void> {
    const missing = this.#missing('payment', ids);
    if (missing.length === 0) return;
    const [{ rows }, joins] = await Promise.all([
      this.pool.query({
        name: 'tenure-read-payments',
        text: 'select payment, joined, facts from tenure.payment where generation = $1 and payment = any($2)',
        values: [this.generation, missing],
      }),
      this.#joins('payment', missing),
    ]);
    const read = z.array(paymentRow).parse(rows);
    const told = new Map(read.map((row) => [row.payment, { ...row, facts: readPayments(row.facts) }]));
    for (const payment of missing) {
      const row = told.get(payment);
      this.workingSet.payments.set(payment, {
        payment,
        observations: row?.facts ?? [],
        others: joins(payment, 'payment'),
        invoices: joins(payment, 'invoice'),
        sessions: joins(payment, 'session'),
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
    const joins = missing.length === 0 ? null : await this.#joins('invoice', missing);
    for (const invoice of joins === null ? [] : missing) {
      this.workingSet.invoices.set(invoice, {
        invoice,
        payments: joins?.(invoice, 'payment') ?? new Set(),
        subscriptions: joins?.(invoice, 'subscription') ?? new Set(),
      });
    }
    return asked.flatMap((invoice) => this.workingSet.invoices.get(invoice) ?? []);
  }

  /** Reads what is joined to subscriptions, or to sessions: answers of each its payments and their facts. */
  async joinedTo(
    kind: 'subscription' | 'session',
    ids: readonly string[],
  ): Promise<(id: string) => Pick<KeptSubscription, 'payments' | 'joined'>> {
    const { rows } = await this.pool.query({
      name: 'tenure-read-joined-payments',
      text: `select j.id, p.payment, p.facts from tenure.payment_join j
             join tenure.payment p on p.generation = j.generation and p.payment = j.other
             where j.generation = $1 and j.kind = $2 and j.id = any($3) and j.other_kind = 'payment'`,
      values: [this.generation, kind, ids],
    });
    const byId = new Map<string, Pick<KeptSubscription, 'payments' | 'joined'>>();
    const of = (id: string): Pick<KeptSubscription, 'payments' | 'joined'> => {
      const known = byId.get(id) ?? { payments: [], joined: new Set() };
      byId.set(id, known);
      return known;
    };
    for (const { id, payment, facts } of z.array(joinedRow).parse(rows)) {
      const { payments, joined } = of(id);
      joined.add(payment);
      for (const fact of readPayments(facts)) payments.push(fact);
    }
    return of;
  }

  async #joins(
    kind: 'payment' | 'invoice',
    ids: readonly string[],
  ): Promise<(id: string, otherKind: z.infer<typeof joinRow>['other_kind']) => Set<string>> {
    const { rows } = await this.pool.query({
      name: 'tenure-read-payment-joins',
      text: 'select id, other_kind, other from tenure.payment_join where generation = $1 and kind = $2 and id = any($3)',
      values: [this.generation, kind, ids],
    });
    const found = z.array(joinRow).parse(rows);
    const byId = new Map<string, z.infer<typeof joinRow>[]>();
    for (const join of found) {
      const known = byId.get(join.id);
      if (known === undefined) byId.set(join.id, [join]);
      else known.push(join);
    }
    return (id, otherKind) =>
      new Set((byId.get(id) ?? []).filter((join) => join.other_kind === otherKind).map(({ other }) => other));
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
