import type { Account } from '../account.js';
import { ApiError, invalidRequest } from '../api-error.js';
import { createCustomer } from '../resources/customers.js';
import { attachPaymentMethod, createPaymentMethod } from '../resources/payment-methods.js';
import { declineMessage, errorCodeOf, TEST_METHODS } from '../test-cards.js';
import type { Changes, CheckoutSession, Customer, PaymentIntent, PaymentMethod } from '../types.js';
import { discountsFor } from './discounts.js';
import { attemptPayment, intentOfInvoice } from './invoice-payments.js';
import { confirmIntent, createIntent, finishAction } from './payments.js';
import { createSetupIntent } from './setup-intents.js';
import { createSubscription } from './subscription-create.js';

const DAY = 86_400;

/** What a buyer does on the page. */
export interface Purchase {
  /** A test token; `null` where nothing is to be paid and none is asked for. */
  readonly token: string | null;
  readonly email: string | null;
  readonly name: string | null;
  /** Whether they prove who they are where their bank asks. */
  readonly authentication: 'succeeded' | 'failed';
  readonly promotionCode: string | null;
}

/** Completes an open session. @throws ApiError 400, or 402 when the payment is declined: the session stays open then */
export function completeCheckout(
  account: Account,
  session: CheckoutSession,
  purchase: Purchase,
): CheckoutSession {
  if (session.status !== 'open') {
    throw invalidRequest(`This Checkout Session is ${session.status} and cannot be completed.`);
  }
  refuseDeclined(purchase);
  const customer = buyerOf(account, session, purchase);
  const method =
    purchase.token === null || customer === null
      ? purchase.token === null
        ? null
        : createPaymentMethod(account, purchase.token)
      : attachPaymentMethod(account, purchase.token, customer);
  const details = customerDetailsOf(session, purchase, customer);
  const bought = buy(account, session, purchase, customer, method);
  const completed = account.change(account.checkoutSessions, session.id, {
    ...bought,
    customer: customer?.id ?? null,
    customer_details: details,
    status: 'complete',
    url: null,
  });
  account.emit('checkout.session.completed', completed);
  return completed;
}

/** A card that is declined is so before anything is made, as the page says it. @throws ApiError 402 */
function refuseDeclined({ token, authentication }: Purchase): void {
  const test = token === null ? undefined : TEST_METHODS[token];
  if (token !== null && test === undefined) {
    throw new ApiError(402, 'card_error', 'Your card number is incorrect.', { code: 'incorrect_number' });
  }
  if (test?.kind !== 'card') return;
  const decline =
    test.authentication !== 'none' && authentication === 'failed' ? 'authentication_required' : test.decline;
  if (decline === null) return;
  throw new ApiError(402, 'card_error', declineMessage(decline), {
    code: errorCodeOf(decline),
    decline_code: decline,
  });
}

/** The customer that the session names, or a new one where its mode makes one. */
function buyerOf(account: Account, session: CheckoutSession, { email, name }: Purchase): Customer | null {
  const known = session.customer === null ? undefined : account.customers.find(session.customer);
  if (known !== undefined) return known;
  if (session.mode === 'payment' && session.customer_creation !== 'always') return null;
  return createCustomer(account, { email: email ?? session.customer_email ?? 'buyer@example.com', name });
}

function customerDetailsOf(
  session: CheckoutSession,
  { email, name }: Purchase,
  customer: Customer | null,
): CheckoutSession['customer_details'] {
  return {
    address: null,
    business_name: null,
    email: email ?? customer?.email ?? session.customer_email,
    individual_name: null,
    name: name ?? customer?.name ?? null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  };
}

function buy(
  account: Account,
  session: CheckoutSession,
  purchase: Purchase,
  customer: Customer | null,
  method: PaymentMethod | null,
): Changes<CheckoutSession> {
  switch (session.mode) {
    case 'subscription':
      return buySubscription(account, session, purchase, customer, method);
    case 'payment':
      return buyOnce(account, session, customer, method);
    case 'setup':
      return {
        setup_intent: createSetupIntent(account, customer, method).id,
        payment_status: 'no_payment_required',
      };
  }
}

function buySubscription(
  account: Account,
  session: CheckoutSession,
  purchase: Purchase,
  customer: Customer | null,
  method: PaymentMethod | null,
): Changes<CheckoutSession> {
  const details = account.checkoutDetails.get(session.id);
  if (details === undefined || customer === null) throw new Error(`${session.id} lacks what it sells`);
  const parts = details.lineItems.flatMap(({ price, quantity }) =>
    price === null ? [] : [{ price, quantity: quantity ?? undefined, metadata: {}, discounts: [] }],
  );
  const { trial, ...data } = details.subscription;
  const code = purchase.promotionCode === null ? [] : [{ promotion_code: purchase.promotionCode }];
  const subscription = createSubscription(account, {
    ...data,
    customer,
    items: parts.filter(({ price }) => price.recurring !== null),
    once: parts
      .filter(({ price }) => price.recurring === null)
      .map((one) => ({ parts: one, quantity: one.quantity ?? 1 })),
    backdatedTo: null,
    cancelAt: null,
    cancelAtPeriodEnd: 'no',
    collection: 'charge_automatically',
    daysUntilDue: null,
    discounts: discountsFor(account, customer.id, code.length > 0 ? code : details.discounts),
    method: method?.id ?? null,
    behaviour: 'default_incomplete',
    presence: 'on_session',
    saveMethod: 'off',
    trialEnd: trial === null ? null : 'end' in trial ? trial.end : account.now + trial.days * DAY,
    told: 'before_payment',
  });
  account.checkoutsOf.set(subscription.id, session.id);
  const invoice = account.invoices.find(subscription.latest_invoice ?? '');
  if (invoice === undefined) throw new Error(`${subscription.id} has no invoice`);
  account.checkoutsOf.set(invoice.id, session.id);
  if (invoice.status === 'open') {
    const intent = attemptPayment(account, invoice, { presence: 'on_session', method: method?.id ?? null });
    if (intent !== null && method !== null) prove(account, intent, method);
  }
  const now = intentOfInvoice(account, invoice);
  if (now !== null) account.checkoutsOf.set(now.id, session.id);
  return {
    subscription: subscription.id,
    invoice: invoice.id,
    amount_total: invoice.total,
    payment_status:
      invoice.total === 0 ? 'no_payment_required' : now?.status === 'succeeded' ? 'paid' : 'unpaid',
  };
}

function buyOnce(
  account: Account,
  session: CheckoutSession,
  customer: Customer | null,
  method: PaymentMethod | null,
): Changes<CheckoutSession> {
  const amount = session.amount_total ?? 0;
  const details = account.checkoutDetails.get(session.id);
  if (amount === 0 || method === null) return { payment_status: 'no_payment_required' };
  const intent = createIntent(account, {
    amount,
    currency: session.currency ?? 'usd',
    customer: customer?.id ?? null,
    description: details?.paymentDescription ?? null,
    metadata: details?.paymentMetadata ?? {},
    setupFutureUsage: details?.savesMethod ?? null,
  });
  account.checkoutsOf.set(intent.id, session.id);
  const confirmed = prove(account, confirmIntent(account, intent, method, 'on_session'), method);
  return { payment_intent: intent.id, payment_status: confirmed.status === 'succeeded' ? 'paid' : 'unpaid' };
}

/** The buyer proves who they are where that is asked for. */
function prove(account: Account, intent: PaymentIntent, method: PaymentMethod): PaymentIntent {
  return intent.status === 'requires_action' ? finishAction(account, intent, method, 'succeeded') : intent;
}

/** Lets sessions that were completed unpaid hear of what became of the bank debit. */
export function followCheckoutPayments(account: Account): void {
  account.react((happening) => {
    if (happening.kind !== 'intent_succeeded' && happening.kind !== 'intent_failed') return;
    const session = account.checkoutSessions.find(account.checkoutsOf.get(happening.intent.id) ?? '');
    if (session?.status !== 'complete' || session.payment_status !== 'unpaid') return;
    if (happening.kind === 'intent_failed') {
      account.emit('checkout.session.async_payment_failed', session);
      return;
    }
    const paid = account.change(account.checkoutSessions, session.id, { payment_status: 'paid' });
    account.emit('checkout.session.async_payment_succeeded', paid);
  });
}

/** Ends a session that is still open. */
export function expireCheckout(account: Account, session: CheckoutSession): CheckoutSession {
  const expired = account.change(account.checkoutSessions, session.id, { status: 'expired', url: null });
  account.emit('checkout.session.expired', expired);
  return expired;
}
