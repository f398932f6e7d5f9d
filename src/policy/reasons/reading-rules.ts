import type { PolicyRule } from './policy-rule.js';

/** The rules that decide what the items of a subscription are read as (DESIGN 5, 7), by code. */
export const READING_RULES = {
  price_by_lookup_key: {
    title: 'A price is read by a lookup key that it showed, also after the key moved to another price',
    words: '{price} of {subscription} is of {target}: it showed the lookup key {name} on {shownAt:day}.',
    given: 'plus is bought by a price whose lookup key `plus_key` the catalogue names.',
    example: 'plus_2025 of sub_1 is of plus: it showed the lookup key plus_key on 1 November 2026.',
  },
  price_by_product: {
    title: 'A price is read by its product',
    words: '{price} of {subscription} is of {target}, by its product {name}.',
    given: 'plus is bought by a price whose product the catalogue names.',
    example: 'plus_2025 of sub_1 is of plus, by its product prod_all.',
  },
  price_adopted: {
    title: 'A price in no plan took the place of a price of the same product',
    words:
      '{price} of {subscription} counts as one of {target}: no plan names it, and on {shownAt:day} it took the place of a price of {target} of the same product.',
    given: 'plus moves on 4 November to a price of the same product that no plan names.',
    example:
      'plus_2027 of sub_1 counts as one of plus: no plan names it, and on 4 November 2026 it took the place of a price of plus of the same product.',
  },
  price_unmapped: {
    title: 'A price in no plan and no add-on gives nothing',
    words: '{price} of {subscription} is in no plan and no add-on of the catalogue, and gives nothing.',
    given: 'a subscription to a price that the catalogue does not name is bought.',
    example: 'meter_m of sub_1 is in no plan and no add-on of the catalogue, and gives nothing.',
  },
  items_cut: {
    title: 'Items that Stripe cut are read from the last event that had all of them',
    words:
      'Stripe cut the items of {subscription} on {cutAt:day}: what counts are those of {itemsSeenAt:day}, when it sent all of them.',
    given: 'plus is bought, and on 4 November an event tells no more than the first ten of its items.',
    example:
      'Stripe cut the items of sub_1 on 4 November 2026: what counts are those of 1 November 2026, when it sent all of them.',
  },
  items_never_whole: {
    title: 'Of items that were never seen all, none is known',
    words:
      'Stripe cut the items of {subscription} on {cutAt:day}, and never sent all of them: what it holds is not known.',
    given: 'the first that is seen of a subscription tells no more than the first ten of its items.',
    example:
      'Stripe cut the items of sub_1 on 1 November 2026, and never sent all of them: what it holds is not known.',
  },
} as const satisfies Readonly<Record<string, PolicyRule>>;
