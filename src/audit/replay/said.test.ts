import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import { parseEvent } from '../../events/event-envelope.js';
import { said } from './said.js';

const words = new Map(GOLDEN_EVENTS.map(({ name, stored }) => [name, said(parseEvent(stored))]));

describe('What the life of a user tells of an event', () => {
  it('is a line of words, for every type', () => {
    const wordless = [...words].filter(([, line]) => line.trim() === '').map(([name]) => name);
    expect(wordless).toEqual([]);
  });

  it.each([
    ['PaymentAttachedToInvoice.v1', 'pi_3TZlF2UDQNQmPrdE paid 1000 usd of the invoice in_1TglMik1EaQmPrdE'],
    ['PaymentRefunded.v1', '300 of 1000 usd of ch_3TZlF2UDQNQmPrdF of pi_3TZlF2UDQNQmPrdE is refunded'],
    [
      'PaymentRefundFailed.v1',
      'the refund re_3TZlF2UDQNQmPrdG of 300 usd is failed: expired_or_canceled_card',
    ],
    [
      'PaymentDisputed.v1',
      'the dispute du_1TZlF2UDQNQmPrdH of 1000 usd of pi_3TZlF2UDQNQmPrdE is needs_response: fraudulent',
    ],
    [
      'DisputeClosed.v1',
      'the dispute du_1TZlF2UDQNQmPrdH of 1000 usd of pi_3TZlF2UDQNQmPrdE is won: fraudulent',
    ],
    ['PaymentWarned.v1', 'an early fraud warning of pi_3TZlF2UDQNQmPrdE: made_with_stolen_card'],
    ['SubscriptionRetrieved.v2', 'Stripe no longer has sub_1TRL9QDP3OQmPrdE'],
    ['SubscriptionExpired.v1', 'sub_1TRL9QDP3OQmPrdE is incomplete_expired with price_pro_m x 1'],
  ])('of %s is: %s', (name, line) => {
    expect(words.get(name)).toBe(line);
  });
});
