import type { FactsLoader } from './facts-loader.js';
import type { KeptCheckout, KeptPayment, KeptSubscription } from './kept-rows.js';
import type { PaymentsLoader } from './payments-loader.js';
import type { WorkingSet } from './working-set.js';

/** A payment by all its ids, and what these are named with. */
export interface WholePayment {
  readonly ids: readonly KeptPayment[];
  readonly invoices: readonly string[];
  readonly sessions: readonly string[];
}

/** Brings a payment by all its ids into memory: an id that is named with one of them is one more. */
export async function wholePayment(
  payment: string,
  loader: PaymentsLoader,
  workingSet: WorkingSet,
): Promise<WholePayment> {
  await loader.payments([payment]);
  for (;;) {
    const { ids, missing } = idsInMemory(payment, workingSet);
    if (missing.length === 0) {
      const all = (pick: (row: KeptPayment) => Iterable<string>): readonly string[] => [
        ...new Set(ids.flatMap((row) => [...pick(row)])),
      ];
      return { ids, invoices: all(({ invoices }) => invoices), sessions: all(({ sessions }) => sessions) };
    }
    await loader.payments(missing);
  }
}

/** Loads a payment with the subscriptions of its invoices, and its sessions. */
export async function loadPayment(
  payment: string,
  loader: FactsLoader,
  workingSet: WorkingSet,
): Promise<void> {
  const { invoices, sessions } = await wholePayment(payment, loader.payments, workingSet);
  await loader.checkouts(sessions);
  const kept = await loader.payments.invoices(invoices);
  await loader.subscriptions(kept.flatMap(({ subscriptions }) => [...subscriptions]));
}

/** The subscriptions of the invoices of a payment, and its sessions; `null` where not all of it is in memory. */
export function ownedByPayment(
  payment: string,
  workingSet: WorkingSet,
): readonly (KeptSubscription | KeptCheckout)[] | null {
  const { ids, missing } = idsInMemory(payment, workingSet);
  if (missing.length > 0) return null;
  const found = new Set<KeptSubscription | KeptCheckout>();
  for (const session of ids.flatMap(({ sessions }) => [...sessions])) {
    const checkout = workingSet.checkouts.get(session);
    if (checkout === undefined) return null;
    found.add(checkout);
  }
  for (const invoice of ids.flatMap(({ invoices }) => [...invoices])) {
    const kept = workingSet.invoices.get(invoice);
    if (kept === undefined) return null;
    for (const id of kept.subscriptions) {
      const subscription = workingSet.subscriptions.get(id);
      if (subscription === undefined) return null;
      found.add(subscription);
    }
  }
  return [...found];
}

/** The ids of a payment that are in memory, and those that they name and are not. */
function idsInMemory(
  payment: string,
  { payments }: WorkingSet,
): { readonly ids: readonly KeptPayment[]; readonly missing: readonly string[] } {
  const reached = new Set([payment]);
  const ids: KeptPayment[] = [];
  const missing: string[] = [];
  for (const id of reached) {
    const row = payments.get(id);
    if (row === undefined) missing.push(id);
    else {
      ids.push(row);
      for (const other of row.others) reached.add(other);
    }
  }
  return { ids, missing };
}
