import { type PlanCatalog, planCatalogSchema } from '../../src/events/catalog.events.js';
import { observationEvent } from './lives.facts.js';
import { at, item, seen } from './policy-stories.js';
import type { ToRecord } from './projected-log.js';

/** A catalogue of two plans, `free` and `plus` (price `plus_m`), with one feature each. */
export function twoPlans(features: { readonly free: string; readonly plus: string }): PlanCatalog {
  return planCatalogSchema.parse({
    default: 'free',
    plans: {
      free: { rank: 0, role: 'free', features: [features.free] },
      plus: { rank: 1, role: 'paid', features: [features.plus], prices: { m: 'plus_m' } },
    },
  });
}

/** The publication of a catalogue at a second. */
export function publication(catalog: PlanCatalog, second: number): ToRecord {
  const event = { type: 'PlanCatalogPublished', data: { hash: `hash ${second}`, catalog } } as const;
  return { event, origin: null, at: at(second) };
}

/** A sight of the subscription `sub_{name}` of `cus_{name}` on the plan plus, active with what is not said otherwise. */
export function sightOf(name: string, second: number, more: Parameters<typeof seen>[2] = {}): ToRecord {
  const told = seen('updated', second, {
    subscription: `sub_${name}`,
    customer: `cus_${name}`,
    items: [item('plus_m')],
    ...more,
  });
  if (told.kind !== 'observation') throw new Error('a sight is an observation');
  return { event: observationEvent(told.fact), origin: told.fact, at: at(second) };
}
