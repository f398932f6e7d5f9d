import { ProblemError } from '../problem.js';
import { isKeptProblem, isKeptStatus } from './answers-kept.js';

describe('The reply to a keyed request', () => {
  it.each([
    ['kept', 'already_held', {}, true],
    ['kept', 'unknown_plan', {}, true],
    ['not kept where the caller is to come again', 'checkout_completed', { 'retry-after': '2' }, false],
    ['not kept where something does not answer', 'stripe_unavailable', {}, false],
    ['not kept where a scope lacks', 'forbidden', {}, false],
    ['not kept where too many ask', 'too_many_requests', {}, false],
  ] as const)('is %s: %s', (_, code, headers, expected) => {
    expect(isKeptProblem(new ProblemError(code, '', headers))).toBe(expected);
  });

  it('is kept where it was done', () => {
    expect([200, 201, 202, 204].every(isKeptStatus)).toBe(true);
  });
});
