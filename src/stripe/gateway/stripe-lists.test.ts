import type { NoAnswer, PageAnswer } from './stripe-answers.js';
import { isRefusedByStripe, pageOf, StripeUnansweredError } from './stripe-lists.js';

function noAnswer(status: number | null, outcome: NoAnswer['outcome'] = 'failed'): NoAnswer {
  return { outcome, status, requestId: 'req_1', againInMs: 0 };
}

const PAGE: PageAnswer = {
  outcome: 'answered',
  objects: [],
  hasMore: false,
  answeredAt: 0,
  apiVersion: null,
};

const ANSWERS = [
  ['403', noAnswer(403), true],
  ['404', noAnswer(404, 'not_found'), true],
  ['429', noAnswer(429, 'rate_limited'), false],
  ['500', noAnswer(500), false],
  ['nothing in time', noAnswer(null, 'timed_out'), false],
] as const;

describe('An answer of Stripe that is none', () => {
  it.each(ANSWERS)('%s is a refusal, or may come later', (_what, answer, isRefusal) => {
    expect(isRefusedByStripe(new StripeUnansweredError('/v1/prices', answer))).toBe(isRefusal);
  });

  it.each(ANSWERS)('%s is asked about again only where that may help', async (_what, answer, isRefusal) => {
    const answers = [answer, answer, PAGE];
    let asked = 0;
    const page = async () => {
      asked += 1;
      return answers.shift() ?? PAGE;
    };
    const found = pageOf({ page }, '/v1/prices', {});
    await (isRefusal
      ? expect(found).rejects.toThrow(StripeUnansweredError)
      : expect(found).resolves.toBe(PAGE));
    expect(asked).toBe(isRefusal ? 1 : 3);
  });

  it('is no refusal where something else went wrong', () => {
    expect(isRefusedByStripe(new Error('a fault of ours'))).toBe(false);
  });
});
