import type { PlanCatalog } from '../../../events/catalog.events.js';
import { type PriceTarget, priceIndex } from '../../../policy/prices.js';
import type { StripePrice, StripeProduct } from '../../gateway/products.js';
import { type Finding, some } from './finding.js';

/** What is wrong between what is sold at Stripe and the catalogue: prices in no plan, and prices in two places. */
export function checkPrices(products: readonly StripeProduct[], catalog: PlanCatalog): readonly Finding[] {
  const index = priceIndex(catalog);
  const sold = products
    .filter(({ active }) => active)
    .flatMap((product) =>
      product.prices.map((price) => ({ price, named: namings(price, product.id, index) })),
    );
  const unmapped = sold.filter(
    ({ price, named }) => price.active && price.recurring != null && named.length === 0,
  );
  const torn = sold.filter(({ named }) => new Set(named).size > 1);
  return [
    ...(unmapped.length === 0
      ? []
      : [
          {
            code: 'price_unmapped' as const,
            says: `In no plan or add-on: ${some(unmapped.map(({ price }) => price.id))}. Who buys one gets nothing.`,
            remedy:
              'List them in the plan file, or archive them at Stripe; `tenure plans draft` shows them all.',
          },
        ]),
    ...torn.map(({ price, named }) => ({
      code: 'price_in_two_places' as const,
      says: `${price.id} is named by ${[...new Set(named)].join(' and ')}; ${named[0]} counts.`,
      remedy: 'Name the price, its lookup key or its product in one place of the plan file.',
    })),
  ];
}

/** What the catalogue has the price in: by its id, by its lookup key, by its product, in the order in which they count. */
function namings(
  { id, lookup_key: key }: StripePrice,
  product: string,
  index: ReadonlyMap<string, PriceTarget>,
): readonly string[] {
  return [id, key, product].flatMap((naming) => {
    const target = naming == null ? undefined : index.get(naming);
    if (target === undefined) return [];
    return target.kind === 'plan' ? `plans.${target.plan.name}` : `addons.${target.addon.name}`;
  });
}
