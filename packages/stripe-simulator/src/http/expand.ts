import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { intentOfInvoice } from '../billing/invoice-payments.js';

type Fields = Readonly<Record<string, unknown>>;

/** Finds an object by its id, or computes what is shown only to those who ask (`invoice.payments`); `undefined`: nothing is. */
export interface Expansions {
  object(id: string, field: string): object | null;
  property(of: Fields, field: string): object | null | undefined;
}

/** Expansions of everything that the account knows. */
export function expansionsOf(account: Account): Expansions {
  const byPrefix: Readonly<Record<string, (id: string) => object | undefined>> = {
    ch: (id) => account.charges.find(id),
    cs: (id) => account.checkoutSessions.find(id),
    cus: (id) => account.customers.find(id),
    di: (id) => account.discounts.find(id),
    du: (id) => account.disputes.find(id),
    ii: (id) => account.invoiceItems.find(id),
    in: (id) => account.invoices.find(id),
    inpay: (id) => account.invoicePayments.find(id),
    pi: (id) => account.paymentIntents.find(id),
    pm: (id) => account.paymentMethods.find(id),
    price: (id) => account.prices.find(id),
    promo: (id) => account.promotionCodes.find(id),
    py: (id) => account.charges.find(id),
    re: (id) => account.refunds.find(id),
    seti: (id) => account.setupIntents.find(id),
    sub: (id) => account.subscriptions.find(id),
  };
  return {
    object(id, field) {
      if (field === 'product' || field === 'products') return account.products.find(id) ?? null;
      if (field === 'coupon') return account.coupons.find(id) ?? null;
      if (field === 'feature') return account.features.find(id) ?? null;
      if (field === 'configuration') return account.portalConfigurations.find(id) ?? null;
      if (field === 'schedule') return account.subscriptionSchedules.find(id) ?? null;
      if (field === 'test_clock') return account.testClockRows.find(id) ?? null;
      return byPrefix[id.split('_', 1)[0] ?? '']?.(id) ?? null;
    },
    property(of, field) {
      if (of.object === 'invoice' && field === 'payments') {
        const payments = account.invoicePayments.select({ by: ['invoice', String(of.id)] });
        return {
          object: 'list',
          data: [...payments],
          has_more: false,
          url: `/v1/invoice_payments?invoice=${of.id}`,
        };
      }
      if (of.object === 'invoice' && field === 'confirmation_secret') {
        const invoice = account.invoices.find(String(of.id));
        const intent = invoice === undefined ? null : intentOfInvoice(account, invoice);
        return intent?.client_secret == null
          ? null
          : { client_secret: intent.client_secret, type: 'payment_intent' };
      }
      if (of.object === 'checkout.session' && field === 'line_items') {
        const data = account.checkoutDetails.get(String(of.id))?.lineItems ?? [];
        return { object: 'list', data, has_more: false, url: `/v1/checkout/sessions/${of.id}/line_items` };
      }
      if (of.object === 'customer' && field === 'subscriptions') {
        const own = account.subscriptions.page(
          { limit: 10 },
          { by: ['customer', String(of.id)], where: ({ status }) => status !== 'canceled' },
        );
        return { object: 'list', ...own, url: `/v1/customers/${of.id}/subscriptions` };
      }
      if (of.object === 'price' && field === 'tiers') return null;
      if (of.object === 'price' && field === 'currency_options') {
        const { unit_amount, unit_amount_decimal, tax_behavior } = of;
        const option = { custom_unit_amount: null, tax_behavior, unit_amount, unit_amount_decimal };
        return { [String(of.currency)]: option };
      }
      return undefined;
    },
  };
}

/** Deepest path that Stripe expands ("Expanding responses"). */
const DEEPEST = 4;

/** The answer with objects in the place of the ids that `paths` name, such as `data.customer`. @throws ApiError 400 */
export function expanded(answer: object, paths: readonly string[], expansions: Expansions): object {
  return paths.reduce<object>((whole, path) => {
    const keys = path.split('.');
    if (keys.length > DEEPEST + (keys[0] === 'data' ? 1 : 0)) {
      throw invalidRequest(`You cannot expand more than ${DEEPEST} levels of a property. Property: ${path}`);
    }
    return at(whole as Fields, keys, path, expansions);
  }, answer);
}

function at(
  of: Fields,
  [key = '', ...rest]: readonly string[],
  path: string,
  expansions: Expansions,
): Fields {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  const found = value === undefined ? expansions.property(of, key) : value;
  if (found === undefined) {
    throw invalidRequest(`This property cannot be expanded (${path}).`, { param: 'expand' });
  }
  return { ...of, [key]: inside(found, key, rest, path, expansions) };
}

function inside(
  value: unknown,
  key: string,
  rest: readonly string[],
  path: string,
  expansions: Expansions,
): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((each) => inside(each, key, rest, path, expansions));
  const object = typeof value === 'string' ? expansions.object(value, key) : value;
  if (typeof object !== 'object' || object === null) return value;
  return rest.length === 0 ? object : at(object as Fields, rest, path, expansions);
}
