import { paymentIds } from '../events/payment.events.js';
import type { FactOrigin, InvoiceObservation, PaymentObservation } from './facts.js';
import type { Invoice } from './invoices.js';
import { compareFactOrigins, compareText } from './order.js';

/** A payment by all its ids, with all that was told of it, oldest first, and the invoices that name two of its ids together. */
export interface Payment {
  readonly ids: readonly string[];
  readonly told: readonly PaymentObservation[];
  readonly namedBy: readonly InvoiceObservation[];
}

/**
 * Finds the payments of an invoice (DESIGN 8): those that were attached to it, what its deciding observation names, and those
 * of which an object says that they are of it; by the smallest of their ids.
 */
export type PaymentsOfInvoice = (invoice: Invoice) => readonly Payment[];

/** Joins payments with invoices: ids that one observation names together are of one payment. */
export function joinPayments(
  told: readonly PaymentObservation[],
  invoices: readonly InvoiceObservation[],
): PaymentsOfInvoice {
  const { ofIds } = joinNames(told, invoices);
  const named = new Map<string, Set<string>>();
  for (const { data } of told) if (data.invoice !== null) add(named, data.invoice, data.payment);
  return ({ data }) => ofIds([...(named.get(data.invoice) ?? []), ...idsIn(data)]);
}

/** Finds payments by some of their ids: ids that one observation names together are of one payment; by their smallest id. */
export function paymentsByIds(
  told: readonly PaymentObservation[],
  ids: readonly string[],
): readonly Payment[] {
  return joinNames(told, []).ofIds(ids);
}

function joinNames(
  told: readonly PaymentObservation[],
  invoices: readonly InvoiceObservation[],
): { readonly ofIds: (ids: readonly string[]) => readonly Payment[] } {
  const names = new SameNames();
  for (const { data } of told) names.join(paymentIds(data));
  for (const { data } of invoices) names.join(idsIn(data));
  const payments = new Map<
    string,
    { ids: Set<string>; told: PaymentObservation[]; namedBy: InvoiceObservation[] }
  >();
  const paymentOf = (id: string) => {
    const root = names.rootOf(id);
    const known = payments.get(root) ?? { ids: new Set(), told: [], namedBy: [] };
    payments.set(root, known);
    known.ids.add(id);
    return known;
  };
  for (const observation of eachOnce(told)) {
    paymentOf(observation.data.payment).told.push(observation);
    for (const id of paymentIds(observation.data)) paymentOf(id);
  }
  for (const observation of eachOnce(invoices)) {
    const ids = idsIn(observation.data);
    for (const id of ids) paymentOf(id);
    const [first] = ids;
    if (first !== undefined && ids.length > 1) paymentOf(first).namedBy.push(observation);
  }
  return {
    ofIds: (ids) =>
      [...new Set(ids.map(paymentOf))]
        .map(({ ids: all, ...payment }) => ({ ids: [...all].sort(), ...payment }))
        .sort((a, b) => compareText(a.ids[0] ?? '', b.ids[0] ?? '')),
  };
}

/** Facts in their order, each once by its event. */
export function eachOnce<T extends FactOrigin>(facts: readonly T[]): readonly T[] {
  return [...new Map(facts.map((fact) => [fact.eventId, fact])).values()].sort(compareFactOrigins);
}

function idsIn({ paymentIntent, charge }: InvoiceObservation['data']): readonly string[] {
  return [paymentIntent, charge].filter((id) => id !== null);
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

/** Sets of ids of the same thing, joined as more of them are named together (union–find). */
class SameNames {
  readonly #parents = new Map<string, string>();

  join(ids: readonly string[]): void {
    const [first] = ids;
    for (const id of ids) if (first !== undefined) this.#parents.set(this.rootOf(id), this.rootOf(first));
  }

  rootOf(id: string): string {
    let root = id;
    for (
      let next = this.#parents.get(root);
      next !== undefined && next !== root;
      next = this.#parents.get(root)
    ) {
      root = next;
    }
    for (let at = id; at !== root; ) {
      const next = this.#parents.get(at) ?? root;
      this.#parents.set(at, root);
      at = next;
    }
    return root;
  }
}
