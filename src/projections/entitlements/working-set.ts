import type { ByHandFacts, CheckoutObservation, Observation, UserFacts } from '../../policy/facts.js';
import { growingList } from '../../policy/growing-list.js';
import { CustomerClaims } from './customer-claims.js';
import type {
  Keepable,
  KeptCheckout,
  KeptCustomer,
  KeptInvoice,
  KeptPayment,
  KeptSubscription,
} from './kept-rows.js';
import { type JudgedFacts, weightOf } from './kept-weight.js';
import { RowIndex } from './row-index.js';
import { withSharedParts } from './shared-parts.js';
import { UseOrder } from './use-order.js';
import type { UserRow } from './user-row.js';

/**
 * Rows of the read models that are in memory, with the ways to find them. A customer is `whole` when its row, all its
 * subscriptions and all checkouts that name it are here; a user when its row, all its subscriptions and purchases, and what it has by hand are.
 */
export class WorkingSet {
  readonly subscriptions = new Map<string, KeptSubscription>();
  readonly customers = new Map<string, KeptCustomer>();
  readonly checkouts = new Map<string, KeptCheckout>();
  readonly payments = new Map<string, KeptPayment>();
  readonly invoices = new Map<string, KeptInvoice>();
  readonly users = new Map<string, UserRow>();
  /** What users have by hand, of whom it is here; of a whole user without an entry nothing is. */
  readonly byHand = new Map<string, ByHandFacts>();
  readonly wholeCustomers = new Set<string>();
  readonly wholeUsers = new Set<string>();
  readonly #ofCustomer = new RowIndex<KeptSubscription>();
  readonly #ofOwner = new RowIndex<KeptSubscription>();
  readonly #purchasesOfOwner = new RowIndex<KeptCheckout>();
  readonly #checkoutsOfCustomer = new RowIndex<KeptCheckout>();
  readonly #checkoutsOfSubscription = new RowIndex<KeptCheckout>();
  readonly #factsOfUser = new Map<string, JudgedFacts>();
  readonly #claims = new CustomerClaims();
  readonly #order = new UseOrder();

  /** To be called with what is about to be used, or was loaded. */
  use(kind: Keepable, id: string): void {
    this.#order.use(kind, id);
  }

  /** Bytes of what is kept, with all that was used or loaded since it was last asked for. */
  weigh(): number {
    this.#order.weigh((kind, id) => weightOf(kind, id, this, this.#factsOfUser));
    return this.#order.bytes;
  }

  /**
   * Drops what was not used for the longest time until no more than so many bytes are kept. To be called while all that is
   * here is written: what is dropped is loaded again when it is needed.
   */
  keepWithin(bytes: number): void {
    this.weigh();
    for (let oldest = this.#order.oldest; oldest !== undefined && this.#order.bytes > bytes; ) {
      this.#drop(oldest.kind, oldest.id);
      oldest = this.#order.oldest;
    }
  }

  /** Drops a row, and what without it is not whole any more. */
  #drop(kind: Keepable, id: string): void {
    this.#order.forget(kind, id);
    switch (kind) {
      case 'subscription': {
        const row = this.subscriptions.get(id);
        if (row === undefined) return;
        this.subscriptions.delete(id);
        this.#ofCustomer.remove(row.customer, row);
        this.#ofOwner.remove(row.owner, row);
        for (const checkout of this.#checkoutsOfSubscription.of(id)) this.#drop('checkout', checkout.session);
        if (row.customer !== null) this.#drop('customer', row.customer);
        if (row.owner !== null) this.#drop('user', row.owner);
        return;
      }
      case 'customer':
        this.customers.delete(id);
        this.wholeCustomers.delete(id);
        this.#claims.forget(id);
        return;
      case 'checkout': {
        const row = this.checkouts.get(id);
        if (row === undefined) return;
        this.checkouts.delete(id);
        this.#checkoutsOfCustomer.remove(row.customer, row);
        this.#checkoutsOfSubscription.remove(row.subscription, row);
        this.#purchasesOfOwner.remove(row.owner, row);
        if (row.subscription !== null) this.#drop('subscription', row.subscription);
        if (row.customer !== null) this.#drop('customer', row.customer);
        if (row.owner !== null) this.#drop('user', row.owner);
        return;
      }
      case 'payment':
        this.payments.delete(id);
        return;
      case 'invoice':
        this.invoices.delete(id);
        return;
      case 'user':
        this.users.delete(id);
        this.wholeUsers.delete(id);
        this.byHand.delete(id);
        this.#factsOfUser.delete(id);
    }
  }

  addSubscription(read: Omit<KeptSubscription, 'checkouts'>): void {
    const row = { ...read, checkouts: this.#checkoutsOf(read.subscription) };
    growingList(row.observations);
    growingList(row.invoices);
    growingList(row.payments);
    this.subscriptions.set(row.subscription, row);
    this.#ofCustomer.add(row.customer, row);
    this.#ofOwner.add(row.owner, row);
  }

  addCheckout(row: KeptCheckout): void {
    this.checkouts.set(row.session, row);
    this.#checkoutsOfCustomer.add(row.customer, row);
    this.#checkoutsOfSubscription.add(row.subscription, row);
    this.#purchasesOfOwner.add(row.owner, row);
    const named = row.subscription === null ? undefined : this.subscriptions.get(row.subscription);
    if (named !== undefined) named.checkouts = this.#checkoutsOf(named.subscription);
  }

  /** Says whose customer a subscription is of; the owners of both customers may change. */
  setCustomerOf(row: KeptSubscription, customer: string | null): void {
    this.#ofCustomer.remove(row.customer, row);
    if (row.customer !== null) this.#claims.removeSubscription(row.customer);
    row.customer = customer;
    this.#ofCustomer.add(customer, row);
    if (customer !== null) this.#claims.addSubscription(customer, row.observations);
  }

  /** Adds an observation to a subscription; the owner of its customer may change when it is an earliest claim. */
  addObservation(row: KeptSubscription, observation: Observation): void {
    row.observations.push(withSharedParts(row.observations.at(-1), observation));
    if (row.customer !== null) this.#claims.addObservation(row.customer, observation);
  }

  /** Notes a fact on which the owner of a customer may depend. */
  unsettle(customer: string): void {
    this.#claims.unsettle(customer);
  }

  /** Whether such a fact came since this was last asked for. */
  takeUnsettled(customer: string): boolean {
    return this.#claims.takeUnsettled(customer);
  }

  /** Of a whole customer: for each user that its subscriptions name the earliest observation that does. */
  claimsOfCustomer(customer: string): readonly Observation[] {
    return this.#claims.ofSubscriptions(customer, this.#ofCustomer.of(customer));
  }

  setOwnerOf(row: KeptSubscription, owner: string | null): void {
    if (row.owner === owner) return;
    this.#ofOwner.remove(row.owner, row);
    row.owner = owner;
    this.#ofOwner.add(owner, row);
  }

  /** Says whose a purchase is. */
  setOwnerOfPurchase(row: KeptCheckout, owner: string | null): void {
    if (row.owner === owner) return;
    this.#purchasesOfOwner.remove(row.owner, row);
    row.owner = owner;
    this.#purchasesOfOwner.add(owner, row);
  }

  /** Of a whole customer: the sessions that name it. */
  checkoutsOfCustomer(customer: string): readonly KeptCheckout[] {
    return [...this.#checkoutsOfCustomer.of(customer)];
  }

  /** Of a whole user: the purchases that are the user's. */
  purchasesOfUser(userId: string): readonly KeptCheckout[] {
    return [...this.#purchasesOfOwner.of(userId)];
  }

  /** Says what a session names, once that is known; the owner of its customer may change when it brings an earliest claim. */
  setNamesOf(row: KeptCheckout, names: { customer: string | null; subscription: string | null }): void {
    this.#checkoutsOfCustomer.remove(row.customer, row);
    this.#checkoutsOfSubscription.remove(row.subscription, row);
    row.customer = names.customer;
    row.subscription = names.subscription;
    this.addCheckout(row);
    if (names.customer !== null) this.#claims.addCheckout(names.customer, row.observations);
  }

  subscriptionsOfCustomer(customer: string): readonly KeptSubscription[] {
    return [...this.#ofCustomer.of(customer)];
  }

  subscriptionsOfUser(userId: string): readonly KeptSubscription[] {
    return [...this.#ofOwner.of(userId)];
  }

  /** What a user is judged by: the same object while the user is in memory, so that what is made of it can be kept with it. */
  factsOfUser(userId: string): UserFacts {
    const subscriptions = this.subscriptionsOfUser(userId);
    const purchases = this.purchasesOfUser(userId);
    const byHand = this.byHand.get(userId);
    const facts = this.#factsOfUser.get(userId) ?? { subscriptions, purchases, byHand };
    facts.subscriptions = subscriptions;
    facts.purchases = purchases;
    facts.byHand = byHand;
    this.#factsOfUser.set(userId, facts);
    return facts;
  }

  /** Of a whole customer: observations of the sessions that name it, as far as its owner can depend on them. */
  checkoutClaimsOfCustomer(customer: string): readonly CheckoutObservation[] {
    return this.#claims.ofCheckouts(customer, this.#checkoutsOfCustomer.of(customer));
  }

  #checkoutsOf(subscription: string): readonly CheckoutObservation[] {
    return [...this.#checkoutsOfSubscription.of(subscription)].flatMap((row) => row.observations);
  }

  clear(): void {
    this.#order.clear();
    for (const each of [
      this.subscriptions,
      this.customers,
      this.checkouts,
      this.payments,
      this.invoices,
      this.users,
      this.byHand,
      this.wholeCustomers,
      this.wholeUsers,
      this.#ofCustomer,
      this.#ofOwner,
      this.#purchasesOfOwner,
      this.#checkoutsOfCustomer,
      this.#checkoutsOfSubscription,
      this.#factsOfUser,
      this.#claims,
    ]) {
      each.clear();
    }
  }
}
