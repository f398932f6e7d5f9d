import fc from 'fast-check';
import {
  auditStream,
  catalogStream,
  checkoutStream,
  customerStream,
  deadlineStream,
  grantStream,
  overridesStream,
  parseStreamName,
  planChangeStream,
  projectionStream,
  STREAM_CATEGORIES,
  type StreamSubject,
  streamName,
  subscriptionStream,
} from './stream-names.js';

const subject = (): fc.Arbitrary<StreamSubject> =>
  fc.oneof(
    fc.constant({ category: 'catalog' } as const),
    fc.record({ category: fc.constantFrom(...STREAM_CATEGORIES), id: fc.string({ minLength: 1 }) }),
  );

describe('the name of a stream', () => {
  it('tells what the stream is about', () => {
    fc.assert(
      fc.property(fc.string(), subject(), (prefix, about) => {
        expect(parseStreamName(prefix, streamName(prefix, about))).toEqual(about);
      }),
    );
  });

  it.each([
    [subscriptionStream('tenure.', 'sub_1'), 'tenure.subscription-sub_1'],
    [customerStream('tenure.', 'cus_1'), 'tenure.customer-cus_1'],
    [checkoutStream('', 'cs_1'), 'checkout-cs_1'],
    [deadlineStream('tenure.', 'ünal-1'), 'tenure.deadline-ünal-1'],
    [grantStream('tenure.', 'gr_1'), 'tenure.grant-gr_1'],
    [overridesStream('tenure.', 'ünal-1'), 'tenure.overrides-ünal-1'],
    [planChangeStream('tenure.', 'ünal-1'), 'tenure.plan-change-ünal-1'],
    [projectionStream('tenure.', 'entitlements'), 'tenure.projection-entitlements'],
    [auditStream('tenure.', '2026-11-29', 'key:key_1'), 'tenure.audit-2026-11-29/key:key_1'],
    [catalogStream('acme-'), 'acme-catalog'],
  ])('is %s, as it always was', (name, expected) => {
    expect(name).toBe(expected);
  });

  it.each([
    'other.customer-cus_1',
    'tenure.customer-',
    'tenure.customer',
    'tenure.catalog-1',
    'tenure.gift-1',
    '',
  ])('of others, such as "%s", tells nothing', (name) => {
    expect(parseStreamName('tenure.', name)).toBeNull();
  });
});
