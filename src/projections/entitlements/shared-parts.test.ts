import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import { randomFrom } from '../../../test/support/lives.js';
import { Choice, type Json, mutated } from '../../../test/support/mutations.js';
import { bytesBeside, withSharedParts } from './shared-parts.js';

/** How often each event is bent; `SHARED_SEED` repeats a run. */
const TIMES = Number(process.env.BENT_TIMES ?? 10);
const seed = Number(process.env.SHARED_SEED ?? Date.now() % 1_000_000);

describe('A fact beside the one before it', () => {
  it('is what it was, key by key, whatever the one before it was', () => {
    const choice = new Choice(randomFrom(seed));
    for (const { event } of GOLDEN_EVENTS) {
      for (let time = 0; time < TIMES; time += 1) {
        const [before, fresh] = [mutated(event as Json, choice), mutated(event as Json, choice)];
        const texts = [JSON.stringify(before), JSON.stringify(fresh)];
        const fact = withSharedParts(before, fresh);
        expect([JSON.stringify(before), JSON.stringify(fact)]).toEqual(texts);
      }
    }
  });

  it('uses the parts that are equal, and is the one before where all of it is', () => {
    const before = { id: 'a', items: [{ price: 'p' }], names: ['x'], last: { n: 1 } };
    const fact = withSharedParts(before, {
      id: 'b',
      items: [{ price: 'p' }],
      names: ['x', 'y'],
      last: { n: 2 },
    });
    expect(fact).toEqual({ id: 'b', items: [{ price: 'p' }], names: ['x', 'y'], last: { n: 2 } });
    expect(fact.items).toBe(before.items);
    expect(fact.names).not.toBe(before.names);
    expect(withSharedParts(before, structuredClone(before))).toBe(before);
    expect(withSharedParts(undefined, fact)).toBe(fact);
  });

  it('takes what is its own', () => {
    const before = { id: 'evt_1', items: [{ price: 'price_plus' }] };
    const own = bytesBeside(undefined, { id: 'evt_2' });
    expect(
      bytesBeside(before, withSharedParts(before, { id: 'evt_2', items: [{ price: 'price_plus' }] })),
    ).toBe(own + 8);
    expect(bytesBeside(before, before)).toBe(0);
  });
});
