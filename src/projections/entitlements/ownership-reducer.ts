import { isCustomerDeleted } from '../../policy/customer-sights.js';
import {
  type CustomerWord,
  customerConflicts,
  customerOfSubscription,
  customerWord,
  NO_CUSTOMER,
  purchaseConflicts,
  purchaseOwner,
  subscriptionConflicts,
  subscriptionOwner,
} from '../../policy/ownership.js';
import { isPurchase } from '../../policy/purchases.js';
import type { FactsLoader } from './facts-loader.js';
import type { KeptCheckout, KeptCustomer, KeptSubscription } from './kept-rows.js';
import type { WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

/** Decides who owns the subscriptions and purchases in memory (DESIGN 6, 8), and notes the rows that change. */
export class OwnershipReducer {
  constructor(
    private readonly workingSet: WorkingSet,
    private readonly loader: FactsLoader,
    private readonly changes: WriteBatch,
  ) {}

  /** Decides anew on the owner of a subscription, and of its customer's others, after a fact of it; returns the users affected. */
  async reassess(row: KeptSubscription): Promise<readonly string[]> {
    const affected = new Set<string>();
    const customer = customerOfSubscription(row.observations);
    if (customer !== row.customer) {
      const before = row.customer;
      if (customer !== null) await this.loader.customer(customer);
      this.workingSet.setCustomerOf(row, customer);
      this.changes.subscriptions.add(row);
      if (before !== null) {
        for (const user of this.reassessCustomer(await this.loader.customer(before))) affected.add(user);
      }
    }
    if (row.customer === null) {
      this.#noteDeleted(row, false);
      this.#reown(row, NO_CUSTOMER, affected);
    } else {
      for (const user of this.reassessCustomer(await this.loader.customer(row.customer), [row]))
        affected.add(user);
    }
    if (row.owner !== null) affected.add(row.owner);
    return sorted(affected);
  }

  /**
   * Users whose subscriptions came, went or ended because of what is known of their customer. What it says of them is
   * decided anew only after a fact on which this may depend; all of its subscriptions are looked at when that
   * changes, else only those that the event touched.
   */
  reassessCustomer(row: KeptCustomer, touched: readonly KeptSubscription[] = []): ReadonlySet<string> {
    const affected = new Set<string>();
    const isNew = this.workingSet.takeUnsettled(row.customer) && this.#settleCustomer(row);
    const isDeleted = isCustomerDeleted(row.observations);
    const all = isNew || isDeleted ? this.workingSet.subscriptionsOfCustomer(row.customer) : touched;
    for (const subscription of all) {
      if (this.#noteDeleted(subscription, isDeleted) && subscription.owner !== null) {
        affected.add(subscription.owner);
      }
    }
    for (const subscription of isNew ? all : touched) this.#reown(subscription, row.word, affected);
    for (const checkout of isNew ? this.workingSet.checkoutsOfCustomer(row.customer) : []) {
      this.#reownPurchase(checkout, row.word, affected);
    }
    return affected;
  }

  /** Decides anew on the owner of a session that is a purchase, after a fact of it; returns the users affected. */
  async reassessPurchase(row: KeptCheckout): Promise<ReadonlySet<string>> {
    const affected = new Set<string>();
    const customer = row.customer === null ? null : await this.loader.customer(row.customer);
    if (customer !== null) {
      for (const user of this.reassessCustomer(customer)) affected.add(user);
    }
    this.#reownPurchase(row, customer?.word ?? NO_CUSTOMER, affected);
    if (row.owner !== null) affected.add(row.owner);
    return affected;
  }

  /** Decides what a customer says of its subscriptions by all that claims it; returns whether that is new. */
  #settleCustomer(row: KeptCustomer): boolean {
    const claims = {
      link: row.link,
      observations: row.observations,
      checkouts: this.workingSet.checkoutClaimsOfCustomer(row.customer),
      subscriptions: this.workingSet.claimsOfCustomer(row.customer),
    };
    const word = customerWord(claims);
    const conflicts = textOf(customerConflicts(claims, word.owner));
    const { word: before } = row;
    const isNew =
      word.owner !== before.owner || word.link !== before.link || word.metadata !== before.metadata;
    if (isNew || conflicts !== row.conflicts || isUnwritten(row)) this.changes.customers.add(row);
    row.word = word;
    row.conflicts = conflicts;
    return isNew;
  }

  /** Keeps with a subscription whether its customer was seen deleted; returns whether that is new. */
  #noteDeleted(row: KeptSubscription, isDeleted: boolean): boolean {
    if (row.customerDeleted === isDeleted) return false;
    row.customerDeleted = isDeleted;
    this.changes.subscriptions.add(row);
    return true;
  }

  #reownPurchase(row: KeptCheckout, customer: CustomerWord, affected: Set<string>): void {
    if (!isPurchase(row.observations)) return;
    const owner = purchaseOwner(row, customer);
    const conflicts = textOf(purchaseConflicts(row, owner));
    if (owner !== row.owner) {
      if (row.owner !== null) affected.add(row.owner);
      if (owner !== null) affected.add(owner);
    }
    if (owner !== row.owner || conflicts !== row.conflicts) this.changes.checkouts.add(row);
    this.workingSet.setOwnerOfPurchase(row, owner);
    row.conflicts = conflicts;
  }

  #reown(row: KeptSubscription, customer: CustomerWord, affected: Set<string>): void {
    const owner = subscriptionOwner(row, customer);
    const conflicts = textOf(subscriptionConflicts(row, owner));
    if (owner !== row.owner) {
      if (row.owner !== null) affected.add(row.owner);
      if (owner !== null) affected.add(owner);
    }
    if (owner !== row.owner || conflicts !== row.conflicts || isUnwritten(row)) {
      this.changes.subscriptions.add(row);
    }
    this.workingSet.setOwnerOf(row, owner);
    row.conflicts = conflicts;
  }
}

/** A row whose first fact is being folded: it is written even when nobody owns it yet. */
function isUnwritten(row: KeptSubscription | KeptCustomer): boolean {
  return 'invoices' in row
    ? row.owner === null && row.observations.length + row.invoices.length <= 1
    : row.word.owner === null && row.observations.length <= 1;
}

function textOf(conflicts: readonly unknown[]): string | null {
  return conflicts.length === 0 ? null : JSON.stringify(conflicts);
}

/** Users in a fixed order, each once. */
export function sorted(users: Iterable<string>): readonly string[] {
  return [...new Set(users)].sort();
}
