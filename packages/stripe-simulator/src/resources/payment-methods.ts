import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import {
  declineMessage,
  errorCodeOf,
  TEST_METHODS,
  type TestBankAccount,
  type TestCard,
  tokenOfNumber,
} from '../test-cards.js';
import type { Customer, PaymentMethod } from '../types.js';

/** `/v1/payment_methods`: cards and bank accounts, made from Stripe's test tokens (`pm_card_visa`, `tok_visa`) and numbers. */
export function paymentMethodRoutes(router: Router, account: Account): void {
  const one = z.strictObject({ expand: p.expand });
  const create = z.strictObject({
    type: z.enum(['card', 'us_bank_account']),
    card: z
      .strictObject({
        token: p.text.optional(),
        number: p.text.optional(),
        exp_month: p.ignored,
        exp_year: p.ignored,
        cvc: p.ignored,
      })
      .optional(),
    us_bank_account: p.ignored,
    billing_details: p.ignored,
    metadata: p.metadata.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/payment_methods', create, ({ type, card }) => {
    if (type === 'us_bank_account') return createPaymentMethod(account, 'pm_usBankAccount_success');
    const token =
      card?.token?.replace(/^tok_/, 'pm_card_') ??
      (card?.number === undefined ? null : tokenOfNumber(card.number));
    if (token === null) {
      throw new ApiError(402, 'card_error', 'Your card number is incorrect.', {
        code: 'incorrect_number',
        param: 'card[number]',
      });
    }
    return createPaymentMethod(account, token);
  });
  const list = z.strictObject({ ...p.cursor, customer: p.text.optional(), type: p.text.optional() });
  router.on('GET', '/v1/payment_methods', list, (params) =>
    methodsOf(account, '/v1/payment_methods', params.customer, params.type, params),
  );
  const ofCustomer = z.strictObject({ ...p.cursor, type: p.text.optional() });
  router.on('GET', '/v1/customers/:id/payment_methods', ofCustomer, (params, { id }) =>
    methodsOf(account, `/v1/customers/${id}/payment_methods`, id, params.type, params),
  );
  router.on('GET', '/v1/payment_methods/:id', one, (_, { id }) => paymentMethodOf(account, id));
  const attach = z.strictObject({ customer: p.text, expand: p.expand });
  router.on('POST', '/v1/payment_methods/:id/attach', attach, ({ customer }, { id }) => {
    const owner = account.customers.find(customer);
    if (owner === undefined) throw resourceMissing('customer', customer, 'customer');
    return attachPaymentMethod(account, id, owner);
  });
  router.on('POST', '/v1/payment_methods/:id/detach', one, (_, { id }) => {
    const method = paymentMethodOf(account, id);
    if (method.customer === null) {
      throw invalidRequest(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
      );
    }
    const detached = changeHands(account, method, null);
    account.emit('payment_method.detached', detached, { customer: method.customer });
    return detached;
  });
}

function methodsOf(
  account: Account,
  url: string,
  customer: string | undefined,
  type: string | undefined,
  cursor: { limit: number; starting_after?: string | undefined; ending_before?: string | undefined },
): object {
  return listOf(url, account.paymentMethods, cursor, {
    by: customer === undefined ? undefined : ['customer', customer],
    where: (row) => type === undefined || row.type === type,
  });
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function paymentMethodOf(account: Account, id: string, param = 'id'): PaymentMethod {
  const method = account.paymentMethods.find(id);
  if (method === undefined) throw resourceMissing('PaymentMethod', id, param);
  return method;
}

/** Gives a method, or a new one of a test token, to a customer. @throws ApiError 402 when the card is refused */
export function attachPaymentMethod(account: Account, idOrToken: string, customer: Customer): PaymentMethod {
  const known = account.paymentMethods.find(idOrToken);
  const method = known ?? createPaymentMethod(account, idOrToken);
  if (method.customer === customer.id) return method;
  if (method.customer !== null) {
    throw invalidRequest('The payment method you provided has already been attached to a customer.');
  }
  const test = testMethodOf(account, method.id);
  if (test.kind === 'card' && test.refusesToAttach && test.decline !== null) {
    throw new ApiError(402, 'card_error', declineMessage(test.decline), {
      code: errorCodeOf(test.decline),
      decline_code: test.decline,
      payment_method: method,
    });
  }
  const attached = changeHands(account, method, customer.id);
  account.emit('payment_method.attached', attached);
  return attached;
}

function changeHands(account: Account, method: PaymentMethod, customer: string | null): PaymentMethod {
  const changed = { ...method, customer };
  account.paymentMethods.remove(method.id);
  account.paymentMethods.put(changed);
  return changed;
}

/** How a method behaves: as the test token does that it was made of, or as it was told since. */
export function testMethodOf(account: Account, id: string): TestCard | TestBankAccount {
  const test = TEST_METHODS[account.tokens.get(id) ?? ''];
  if (test === undefined) throw resourceMissing('PaymentMethod', id, 'payment_method');
  return test;
}

/** Makes a method of a test token, of nobody yet. @throws ApiError 400 when there is no such token */
export function createPaymentMethod(account: Account, token: string): PaymentMethod {
  const test = TEST_METHODS[token];
  if (test === undefined) throw resourceMissing('PaymentMethod', token, 'payment_method');
  const common = {
    id: account.ids.next('pm'),
    object: 'payment_method' as const,
    allow_redisplay: 'unspecified' as const,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    created: account.now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
  };
  const method: PaymentMethod =
    test.kind === 'card'
      ? { ...common, type: 'card', card: cardOf(account, test) }
      : {
          ...common,
          type: 'us_bank_account',
          us_bank_account: {
            account_holder_type: 'individual',
            account_type: 'checking',
            bank_name: 'STRIPE TEST BANK',
            financial_connections_account: null,
            fingerprint: null,
            last4: test.last4,
            networks: null,
            routing_number: '110000000',
            status_details: null,
          },
        };
  account.paymentMethods.put(method);
  account.tokens.set(method.id, token);
  return method;
}

function cardOf(account: Account, test: TestCard): NonNullable<PaymentMethod['card']> {
  return {
    brand: test.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    display_brand: test.brand,
    exp_month: 12,
    exp_year: new Date(account.now * 1_000).getUTCFullYear() + 4,
    fingerprint: null,
    funding: 'credit',
    generated_from: null,
    last4: test.number.slice(-4),
    networks: { available: [test.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}
