import fc from 'fast-check';
import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import { canonicalJson } from '../../events/canonical-json.js';
import { type EventEnvelope, parseEvent } from '../../events/event-envelope.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { followUpOf, mayHaveFollowUp } from './follow-up.js';

const golden = (name: string): StoredEvent => {
  const found = GOLDEN_EVENTS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no golden file ${name}`);
  return found.stored;
};

/** A stored event with other data at the top level. */
function withData(stored: StoredEvent, changed: Readonly<Record<string, unknown>>): StoredEvent {
  return { ...stored, data: canonicalJson({ ...JSON.parse(stored.data), ...changed }) };
}

const UPDATED = golden('SubscriptionUpdated.v1');
const PAID = golden('SubscriptionPaid.v2');
const [ITEM] = JSON.parse(UPDATED.data).items;
const previousItems = (items: unknown): unknown => ({ digest: '0'.repeat(64), names: ['items'], items });
const followed = (stored: StoredEvent): unknown => followUpOf(parseEvent(stored));

it.each<[string, unknown, boolean]>([
  ['another price', [{ ...ITEM, price: 'price_before' }], true],
  ['another quantity', [{ ...ITEM, quantity: 7 }], true],
  ['one item more', [ITEM, { ...ITEM, id: 'si_more', price: 'price_more' }], true],
  ['another period alone, as each renewal has it', [{ ...ITEM, currentPeriodEnd: 1 }], false],
  ['its items in another order', [{ ...ITEM, id: 'si_other' }], false],
])('A subscription that had %s before is looked at, or is not: %#', (_, items, isLookedAt) => {
  const stored = withData(UPDATED, { items: [ITEM], previous: previousItems(items) });
  expect(followed(stored) !== null).toBe(isLookedAt);
});

it('An invoice of a change that was paid calls for a look at its subscription, and that of a renewal does not', () => {
  expect(followed(withData(PAID, { billingReason: 'subscription_update' }))).toMatchObject({
    of: 'subscription',
  });
  const renewal = withData(PAID, { billingReason: 'subscription_cycle' });
  expect(followed(renewal)).toBeNull();
  expect(mayHaveFollowUp(renewal)).toBe(false);
});

/** Events that differ in what follow-ups look at, and in texts of users that look like it. */
const anyEvent = fc
  .record({
    stored: fc.constantFrom(...GOLDEN_EVENTS.map(({ stored }) => stored)),
    paymentStatus: fc.constantFrom('paid', 'unpaid', 'no_payment_required'),
    billingReason: fc.constantFrom(
      'subscription_update',
      'subscription_cycle',
      '"subscription_update"',
      null,
    ),
    before: fc.option(fc.array(fc.constantFrom('price_a', 'price_b', ITEM.price), { maxLength: 3 })),
    userId: fc.constantFrom('ann', '"previous":{"items":['),
  })
  .map(({ stored, paymentStatus, billingReason, before, userId }): StoredEvent => {
    const data = JSON.parse(stored.data);
    const items = before?.map((price) => ({ ...ITEM, price }));
    const previous = items === undefined ? null : previousItems(items);
    const said = { paymentStatus, billingReason, previous, userId };
    return withData(stored, Object.fromEntries(Object.entries(said).filter(([name]) => name in data)));
  });

it('No event that calls for something is passed by unparsed', () => {
  let called = 0;
  let passedBy = 0;
  fc.assert(
    fc.property(anyEvent, (stored) => {
      let event: EventEnvelope;
      try {
        event = parseEvent(stored);
      } catch {
        return; // no event that this code writes
      }
      if (followUpOf(event) !== null) {
        called += 1;
        expect(mayHaveFollowUp(stored)).toBe(true);
      } else if (!mayHaveFollowUp(stored)) passedBy += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(called).toBeGreaterThan(10);
  expect(passedBy).toBeGreaterThan(100);
});
