import fc from 'fast-check';
import { addNothingTwice, decided, originOf } from '../../test/support/decisions.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import type { Happened } from './aggregate.js';
import {
  type CatalogCommand,
  catalogAggregate,
  OfferPlanCatalog,
  PublishPlanCatalog,
} from './catalog.aggregate.js';

const catalog = (name: string) =>
  planCatalogSchema.parse({ default: name, plans: { [name]: { rank: 0, role: 'free' } } });
const data = (name: string) => ({ hash: `hash of ${name}`, catalog: catalog(name) });
const published = (name: string): Happened => ({
  event: { type: 'PlanCatalogPublished', data: data(name) },
  causation: null,
});
const offer = (name: string): CatalogCommand =>
  new OfferPlanCatalog(catalog(name), `hash of ${name}`, originOf(null));
const publish = (name: string): CatalogCommand =>
  new PublishPlanCatalog(catalog(name), `hash of ${name}`, originOf(null));

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: CatalogCommand,
  then: 'published' | 'nothing',
][] = [
  ['the first catalogue offered', [], offer('a'), 'published'],
  ['a new one offered', [published('a')], offer('b'), 'published'],
  ['the last one offered again', [published('a'), published('b')], offer('b'), 'nothing'],
  ['an old one offered', [published('a'), published('b')], offer('a'), 'nothing'],
  ['the first catalogue published', [], publish('a'), 'published'],
  ['the last one published again', [published('a'), published('b')], publish('b'), 'nothing'],
  ['an old one published', [published('a'), published('b')], publish('a'), 'published'],
  [
    'one offered that an old one replaced',
    [published('a'), published('b'), published('a')],
    offer('b'),
    'nothing',
  ],
];

describe('the stream of the plan catalogue', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    const { hash, catalog } = when;
    expect(decided(catalogAggregate, given, when)).toEqual(
      then === 'nothing' ? [] : [{ type: 'PlanCatalogPublished', data: { hash, catalog } }],
    );
  });

  it('has the last catalogue published in force, whichever was before', () => {
    const state = [published('a'), published('b'), published('a')].reduce(
      catalogAggregate.evolve,
      catalogAggregate.initial,
    );
    expect(state.last).toEqual(data('a'));
  });

  it('adds nothing for a command it has executed', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    addNothingTwice(catalogAggregate, fc.oneof(names.map(offer), names.map(publish)));
  });
});
