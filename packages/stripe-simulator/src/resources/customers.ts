import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Customer } from '../types.js';
import { attachPaymentMethod } from './payment-methods.js';

const address = z.strictObject({
  city: z.string().optional(),
  country: z.string().optional(),
  line1: z.string().optional(),
  line2: z.string().optional(),
  postal_code: z.string().optional(),
  state: z.string().optional(),
});

const fields = {
  address: p.emptyable(address).optional(),
  balance: p.integer.optional(),
  description: p.emptyable(p.text).optional(),
  email: p.emptyable(p.text).optional(),
  invoice_settings: z
    .strictObject({ default_payment_method: p.emptyable(p.text).optional(), footer: p.ignored })
    .optional(),
  metadata: p.emptyable(p.metadata).optional(),
  name: p.emptyable(p.text).optional(),
  phone: p.emptyable(p.text).optional(),
  preferred_locales: z.array(p.text).optional(),
  tax_exempt: z.enum(['none', 'exempt', 'reverse']).optional(),
  expand: p.expand,
};

/** `/v1/customers`: who buys. One that is deleted is remembered as that. */
export function customerRoutes(router: Router, account: Account): void {
  const { customers } = account;
  const create = z.strictObject({
    ...fields,
    payment_method: p.text.optional(),
    test_clock: p.text.optional(),
  });
  router.on('POST', '/v1/customers', create, (params) =>
    account.inTimeOf(params.test_clock ?? null, () => createCustomer(account, params)),
  );
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    email: p.text.optional(),
    test_clock: p.text.optional(),
  });
  router.on('GET', '/v1/customers', list, (params) =>
    listOf('/v1/customers', customers, params, {
      where: (row) =>
        !account.deletedCustomers.has(row.id) &&
        (params.email === undefined || row.email === params.email) &&
        (row.test_clock ?? undefined) === params.test_clock &&
        p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/customers/:id', z.strictObject({ expand: p.expand }), (_, { id }) =>
    account.deletedCustomers.has(id) ? deleted(id) : customerOf(account, id),
  );
  router.on('POST', '/v1/customers/:id', z.strictObject(fields), (params, { id }) => {
    const before = customerOf(account, id);
    const method = params.invoice_settings?.default_payment_method;
    const changes = {
      address: params.address === undefined ? (before.address ?? null) : addressOf(params.address),
      balance: params.balance ?? before.balance,
      description: params.description === undefined ? before.description : params.description,
      email: params.email === undefined ? before.email : params.email,
      invoice_settings:
        method === undefined
          ? before.invoice_settings
          : {
              ...before.invoice_settings,
              default_payment_method: method === null ? null : methodOf(account, id, method),
            },
      metadata: p.mergeMetadata(before.metadata, params.metadata),
      name: params.name === undefined ? (before.name ?? null) : params.name,
      phone: params.phone === undefined ? (before.phone ?? null) : params.phone,
      preferred_locales: params.preferred_locales ?? before.preferred_locales ?? [],
      tax_exempt: params.tax_exempt ?? before.tax_exempt ?? 'none',
    };
    return account.change(customers, id, changes, 'customer.updated');
  });
  router.on('DELETE', '/v1/customers/:id', z.strictObject({}), (_, { id }) => {
    const customer = customerOf(account, id);
    account.tell({ kind: 'customer_deleted', customer });
    account.deletedCustomers.add(id);
    account.emit('customer.deleted', customer);
    return deleted(id);
  });
}

/** A customer who is there. @throws ApiError 404, or 400 where a parameter names it */
export function customerOf(account: Account, id: string, param = 'id'): Customer {
  const customer = account.customers.find(id);
  if (customer === undefined || account.deletedCustomers.has(id)) {
    throw resourceMissing('customer', id, param);
  }
  return customer;
}

type Params = z.output<z.ZodObject<typeof fields>> & {
  readonly payment_method?: string | undefined;
  readonly test_clock?: string | undefined;
};

/** Makes a customer. @throws ApiError 400, or 402 when the card of `payment_method` is refused */
export function createCustomer(account: Account, params: Params): Customer {
  const id = `cus_${account.ids.letters(14)}`;
  const customer: Customer = {
    id,
    object: 'customer',
    address: addressOf(params.address ?? null),
    balance: params.balance ?? 0,
    created: account.now,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: params.description ?? null,
    discount: null,
    email: params.email ?? null,
    invoice_prefix: account.ids.letters(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: params.metadata ?? {},
    name: params.name ?? null,
    next_invoice_sequence: 1,
    phone: params.phone ?? null,
    preferred_locales: params.preferred_locales ?? [],
    shipping: null,
    tax_exempt: params.tax_exempt ?? 'none',
    test_clock: params.test_clock ?? null,
  };
  account.customers.put(customer);
  const attached =
    params.payment_method === undefined
      ? null
      : attachPaymentMethod(account, params.payment_method, customer).id;
  const preferred = params.invoice_settings?.default_payment_method;
  const default_payment_method = preferred == null ? null : methodOf(account, id, preferred, attached);
  const made = { ...customer, invoice_settings: { ...customer.invoice_settings, default_payment_method } };
  return account.add(account.customers, made, 'customer.created');
}

/** The customer's method of this id; a test token that has just been attached is that one. @throws ApiError 400 */
function methodOf(account: Account, customer: string, id: string, attached: string | null = null): string {
  if (attached !== null && account.paymentMethods.find(id) === undefined) return attached;
  const method = account.paymentMethods.find(id);
  if (method?.customer !== customer) {
    throw resourceMissing('PaymentMethod', id, 'invoice_settings[default_payment_method]');
  }
  return id;
}

function addressOf(given: z.output<typeof address> | null): Exclude<Customer['address'], undefined> {
  if (given === null) return null;
  const { city, country, line1, line2, postal_code, state } = given;
  return {
    city: city ?? null,
    country: country ?? null,
    line1: line1 ?? null,
    line2: line2 ?? null,
    postal_code: postal_code ?? null,
    state: state ?? null,
  };
}

function deleted(id: string): object {
  return { id, object: 'customer', deleted: true };
}
