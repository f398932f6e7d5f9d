import { z } from 'zod';
import type { Account } from '../account.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { CustomerBalanceTransaction } from '../types.js';
import { customerOf } from './customers.js';

/** `/v1/customers/:id/balance_transactions`: credit (negative) that the next invoice uses up, or debt that it asks for. */
export function customerBalanceRoutes(router: Router, account: Account): void {
  const { balanceTransactions } = account;
  const path = '/v1/customers/:id/balance_transactions';
  const create = z.strictObject({
    amount: p.integer,
    currency: p.text,
    description: p.text.optional(),
    metadata: p.metadata.optional(),
    expand: p.expand,
  });
  router.on('POST', path, create, ({ amount, currency, description, metadata }, { id }) => {
    const customer = customerOf(account, id);
    const balance = customer.balance + amount;
    account.change(account.customers, id, { balance }, 'customer.updated');
    const transaction: CustomerBalanceTransaction = {
      id: account.ids.next('cbtxn'),
      object: 'customer_balance_transaction',
      amount,
      checkout_session: null,
      created: account.now,
      credit_note: null,
      currency: currency.toLowerCase(),
      customer: id,
      customer_account: null,
      description: description ?? null,
      ending_balance: balance,
      invoice: null,
      livemode: false,
      metadata: metadata ?? {},
      type: 'adjustment',
    };
    return account.add(balanceTransactions, transaction);
  });
  router.on('GET', path, z.strictObject(p.cursor), (cursor, { id }) =>
    listOf(`/v1/customers/${id}/balance_transactions`, balanceTransactions, cursor, { by: ['customer', id] }),
  );
}
