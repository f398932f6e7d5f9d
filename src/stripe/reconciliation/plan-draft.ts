import type { StripePrice, StripeProduct } from '../gateway/products.js';

const HEAD = `# Drafted by \`tenure plans draft\` from Stripe's products, prices and features: read it through, edit it, then try it with
# \`tenure plans check\`. Tenure cannot know
# - which product is bought beside a plan: move it under \`addons\`;
# - what a plan gives that Stripe has no feature for: its limits, and what the default plan gives to everybody;
# - which plan is above which: ranks follow the price of a month, whatever its currency.
# Archived prices stay listed while subscriptions may run on them. Amounts are in the smallest unit of their currency.
`;

const DAYS = { day: 1, week: 7, month: 365 / 12, year: 365 };
/** The plan of everybody who has no other. */
const DEFAULT = 'free';

/** A product as the draft calls it. */
interface Drafted extends StripeProduct {
  readonly key: string;
  readonly recurring: readonly StripePrice[];
}

/**
 * The text of a plan file (DESIGN 7) for what is sold at Stripe: a plan for each product with recurring prices, ranked by
 * the price of a month; an add-on for each that has metered prices alone, which mostly are bought beside a plan. What is
 * sold once is named in a comment.
 */
export function draftPlanFile(products: readonly StripeProduct[]): string {
  const drafted = named(products);
  const recurring = drafted.filter((product) => product.recurring.length > 0);
  const isAddon = ({ recurring: prices }: Drafted): boolean =>
    prices.every((price) => price.recurring?.usage_type === 'metered');
  const [addons, plans] = [recurring.filter(isAddon), recurring.filter((product) => !isAddon(product))];
  const [free, others] = [
    plans.filter(({ key }) => key === DEFAULT),
    plans.filter(({ key }) => key !== DEFAULT),
  ];
  const once = drafted.filter((product) => product.recurring.length === 0);
  const inOrder = others
    .map((product) => ({ product, amount: monthly(product) }))
    .sort((one, other) => one.amount - other.amount)
    .map(({ product }) => product);
  return [
    HEAD,
    `default: ${DEFAULT}`,
    'plans:',
    ...planLines(free[0] ?? null, DEFAULT, 0),
    ...inOrder.flatMap((product, place) => planLines(product, product.key, place + 1)),
    ...(addons.length === 0 ? [] : ['addons:', ...addons.flatMap(addonLines)]),
    ...once.map(({ id, name }) => `# ${oneLine(name)} (${id}) is sold once, and gives no plan here.`),
    '',
  ].join('\n');
}

function planLines(product: Drafted | null, key: string, rank: number): readonly string[] {
  const of = product === null ? '' : ` # ${oneLine(product.name)}, ${product.id}${archived(product)}`;
  return [
    `  ${scalar(key)}:${of}`,
    `    rank: ${rank}`,
    `    role: ${rank === 0 ? 'free' : 'paid'}`,
    `    features: ${flow(product?.features ?? [])}`,
    '    limits: {}',
    ...(product === null ? [] : ['    prices:', ...labelled(product)]),
    ...(product === null || product.active ? [] : ['    sellable: false']),
  ];
}

function labelled(product: Drafted): readonly string[] {
  const labels = [...new Set(inOrderOfSale(product).map(labelOf))];
  return labels.flatMap((label) => [
    `      ${scalar(label)}:`,
    ...inOrderOfSale(product)
      .filter((price) => labelOf(price) === label)
      .map((price) => `        - ${priceLine(price)}`),
  ]);
}

function addonLines(product: Drafted): readonly string[] {
  return [
    `  ${scalar(product.key)}: # ${oneLine(product.name)}, ${product.id}${archived(product)}: metered`,
    '    prices:',
    ...inOrderOfSale(product).map((price) => `      - ${priceLine(price)}`),
    '    limits: {}',
    `    features: ${flow(product.features)}`,
  ];
}

/** The first of a label is the one that is sold: the product's own choice, then what is active, then the newest. */
function inOrderOfSale({ recurring, defaultPrice }: Drafted): readonly StripePrice[] {
  const place = ({ id, active }: StripePrice): number => (id === defaultPrice ? 0 : active ? 1 : 2);
  return [...recurring].sort((one, other) => place(one) - place(other));
}

function labelOf({ recurring }: StripePrice): string {
  const { interval, interval_count: count } = recurring ?? { interval: 'month', interval_count: 1 };
  const words = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' };
  return count === 1 ? words[interval] : `every_${count}_${interval}s`;
}

/** A lookup key outlives its price, as it can be moved to the next one; so where there is one, it stands in the file. */
function priceLine(price: StripePrice): string {
  const { id, lookup_key: key, unit_amount: amount, currency, active } = price;
  const isKeyed = key != null && key !== '';
  const says = [
    ...(isKeyed ? [id] : []),
    amount == null ? `priced by tiers or parts, ${currency}` : `${amount} ${currency}`,
    ...(active ? [] : ['archived']),
  ];
  return `${scalar(isKeyed ? key : id)} # ${says.join(', ')}`;
}

/** What the cheapest price that is sold costs a month; one without an amount, such as tiers, counts as nothing. */
function monthly({ recurring }: Drafted): number {
  const sold = recurring.some(({ active }) => active) ? recurring.filter(({ active }) => active) : recurring;
  return Math.min(
    ...sold.map(({ unit_amount: amount, recurring: each }) =>
      each == null ? 0 : ((amount ?? 0) / (DAYS[each.interval] * each.interval_count)) * DAYS.month,
    ),
  );
}

/** Names made of the products' own, each once. */
function named(products: readonly StripeProduct[]): readonly Drafted[] {
  const taken = new Map<string, number>();
  return products.map((product) => {
    const word = product.name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 90);
    const base = word === '' ? product.id : word;
    const times = (taken.get(base) ?? 0) + 1;
    taken.set(base, times);
    const recurring = product.prices.filter((price) => price.recurring != null);
    return { ...product, key: times === 1 ? base : `${base}_${times}`, recurring };
  });
}

function archived({ active }: Drafted): string {
  return active ? '' : ', archived';
}

function flow(words: readonly string[]): string {
  return `[${words.map(scalar).join(', ')}]`;
}

/** A word as YAML has it: as it is where that is surely a word, else in JSON's quotes, which YAML reads. */
function scalar(word: string): string {
  const isWord = /^[a-z][\w-]*$/i.test(word) && !/^(?:true|false|null)$/i.test(word);
  return isWord ? word : JSON.stringify(word);
}

/** A name in a comment: it is Stripe's customers' text, and may hold anything. */
function oneLine(name: string): string {
  return name.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
}
