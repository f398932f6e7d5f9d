import { type PlanCatalog, pricesOfLabel } from '../events/catalog.events.js';

/** What an entry of the catalogue lists, as ids of products or otherwise. */
interface Listing {
  readonly entry: string;
  readonly products: readonly string[];
  readonly lists: readonly string[];
}

/**
 * What is valid in a catalogue and yet worth a second look at start (DESIGN 7, 14): products listed whole beside prices
 * listed singly elsewhere, which count where they are listed singly.
 */
export function catalogWarnings(catalog: PlanCatalog): readonly string[] {
  return overlaps(listingsOf(catalog));
}

/** Which price is of which product only Stripe knows, so every product that may overlap is named. */
function overlaps(listings: readonly Listing[]): readonly string[] {
  return listings.flatMap(({ entry, products }) => {
    const others = listings.filter((other) => other.entry !== entry && other.lists.length > 0);
    if (others.length === 0) return [];
    return products.map(
      (product) =>
        `${entry} lists the product "${product}": a price of it that is listed by id or lookup key in ` +
        `${others.map((other) => other.entry).join(', ')} counts there and not in ${entry}`,
    );
  });
}

function listingsOf({ plans, addons }: PlanCatalog): readonly Listing[] {
  return [
    ...Object.entries(plans).map(([name, plan]) =>
      listing(`plans.${name}`, Object.values(plan.prices).flatMap(pricesOfLabel)),
    ),
    ...Object.entries(addons).map(([name, addon]) => listing(`addons.${name}`, addon.prices)),
  ];
}

function listing(entry: string, prices: readonly string[]): Listing {
  const isProduct = (price: string): boolean => price.startsWith('prod_');
  return { entry, products: prices.filter(isProduct), lists: prices.filter((price) => !isProduct(price)) };
}
