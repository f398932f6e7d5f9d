import { z } from 'zod';
import type { StripeGateway } from './stripe.gateway.js';
import type { NoAnswer, PageAnswer, StripeAnswer } from './stripe-answers.js';
import { StripeUnansweredError } from './stripe-lists.js';

const amount = {
  unit_amount: z.number().nullish(),
  unit_amount_decimal: z.string().nullish(),
};
const tierAsShown = z.looseObject({
  ...amount,
  flat_amount: z.number().nullish(),
  flat_amount_decimal: z.string().nullish(),
  up_to: z.number().nullish(),
});

const priceSchema = z.looseObject({
  ...amount,
  id: z.string(),
  active: z.boolean(),
  product: z.union([z.string(), z.looseObject({ id: z.string() })]),
  currency: z.string(),
  billing_scheme: z.string().nullish(),
  tiers_mode: z.string().nullish(),
  tiers: z.array(tierAsShown).nullish(),
  currency_options: z.record(z.string(), z.looseObject(amount)).nullish(),
  recurring: z
    .looseObject({ interval: z.string(), interval_count: z.number(), usage_type: z.string() })
    .nullish(),
});

const productSchema = z.looseObject({
  default_price: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
});

/**
 * Money in minor units of its currency: `amount` where it is a whole number, else `amountDecimal`, a decimal string
 * (Stripe: "Prices", `unit_amount_decimal`). Both are null where there is none, of tiers.
 */
const money = { amount: z.int().nullable(), amountDecimal: z.string().nullable() };

/** A step of a tiered price, up to and including `upTo` units (null: without end). */
const tierSchema = z.strictObject({
  upTo: z.int().nullable(),
  ...money,
  flatAmount: z.int().nullable(),
  flatAmountDecimal: z.string().nullable(),
});

/**
 * A price of Stripe's as it is sold: what one unit of quantity asks, or `tiers` of a tiered one. `interval` and what
 * stands with it are null of a price that is paid once.
 */
export const soldPriceSchema = z.strictObject({
  id: z.string(),
  product: z.string(),
  active: z.boolean(),
  /** ISO 4217, in small letters. */
  currency: z.string(),
  ...money,
  tiersMode: z.string().nullable(),
  tiers: z.array(tierSchema).nullable(),
  interval: z.string().nullable(),
  intervalCount: z.int().nullable(),
  usageType: z.string().nullable(),
  /** What it asks in its other currencies (Stripe: `currency_options`). */
  currencies: z.record(z.string(), z.strictObject(money)),
});
export type SoldPrice = z.infer<typeof soldPriceSchema>;

type Gateway = Pick<StripeGateway, 'at' | 'page'>;

/** Options and tiers are shown to who asks for them. */
const WHOLE = { 'expand[0]': 'tiers', 'expand[1]': 'currency_options' };

/**
 * The price that is sold under a name of the catalogue: the one with that id, else with that lookup key, else the default
 * price of the product with that id; `null` where Stripe has none.
 * @throws StripeUnansweredError
 */
export async function readSoldPrice(
  gateway: Gateway,
  name: string,
  patienceMs: number,
): Promise<SoldPrice | null> {
  const byId = (id: string): Promise<SoldPrice | null> => priceById(gateway, id, patienceMs);
  if (!name.startsWith('prod_')) {
    const found = (await byId(name)) ?? (await byId((await idOfKey(gateway, name, patienceMs)) ?? ''));
    if (found !== null || name.startsWith('price_')) return found;
  }
  const product = await found(gateway, `/v1/products/${encodeURIComponent(name)}`, {}, patienceMs);
  const price = product === null ? null : productSchema.parse(product).default_price;
  return price == null ? null : byId(idOf(price));
}

async function priceById(gateway: Gateway, id: string, patienceMs: number): Promise<SoldPrice | null> {
  if (id === '') return null;
  const price = await found(gateway, `/v1/prices/${encodeURIComponent(id)}`, WHOLE, patienceMs);
  return price === null ? null : soldPriceOf(price);
}

async function idOfKey(gateway: Gateway, key: string, patienceMs: number): Promise<string | null> {
  const query = { 'lookup_keys[0]': key };
  const page = settled('/v1/prices', await gateway.page('/v1/prices', query, patienceMs));
  return page?.objects[0]?.id ?? null;
}

async function found(
  gateway: Gateway,
  path: string,
  query: Readonly<Record<string, string>>,
  patienceMs: number,
): Promise<object | null> {
  return settled(path, await gateway.at(path, query, patienceMs))?.object ?? null;
}

/** What was answered; `null` where Stripe has nothing there. @throws StripeUnansweredError */
function settled<Answer extends StripeAnswer | PageAnswer>(
  path: string,
  answer: Answer,
): Exclude<Answer, NoAnswer> | null {
  if (answer.outcome === 'answered') return answer as Exclude<Answer, NoAnswer>;
  if (answer.outcome === 'not_found') return null;
  throw new StripeUnansweredError(path, answer);
}

/** A price as Stripe's API shows it, of any version since there are prices. */
export function soldPriceOf(object: object): SoldPrice {
  const price = priceSchema.parse(object);
  const { recurring } = price;
  const isTiered = price.billing_scheme === 'tiered';
  const others = Object.entries(price.currency_options ?? {}).filter(([name]) => name !== price.currency);
  return {
    id: price.id,
    product: idOf(price.product),
    active: price.active,
    currency: price.currency,
    ...moneyOf(price.unit_amount, price.unit_amount_decimal),
    tiersMode: isTiered ? (price.tiers_mode ?? null) : null,
    tiers: isTiered ? (price.tiers?.map(tierOf) ?? null) : null,
    interval: recurring?.interval ?? null,
    intervalCount: recurring?.interval_count ?? null,
    usageType: recurring?.usage_type ?? null,
    currencies: Object.fromEntries(
      others.map(([name, option]) => [name, moneyOf(option.unit_amount, option.unit_amount_decimal)]),
    ),
  };
}

function tierOf(tier: z.infer<typeof tierAsShown>): z.infer<typeof tierSchema> {
  const flat = moneyOf(tier.flat_amount, tier.flat_amount_decimal);
  return {
    upTo: tier.up_to ?? null,
    ...moneyOf(tier.unit_amount, tier.unit_amount_decimal),
    flatAmount: flat.amount,
    flatAmountDecimal: flat.amountDecimal,
  };
}

function moneyOf(whole: number | null | undefined, decimal: string | null | undefined) {
  return { amount: whole ?? null, amountDecimal: whole == null ? (decimal ?? null) : null };
}

function idOf(named: string | { readonly id: string }): string {
  return typeof named === 'string' ? named : named.id;
}
