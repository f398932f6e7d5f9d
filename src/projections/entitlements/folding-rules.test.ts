import { answersOf, changedAnswers, recordedAnswers } from '../../../test/support/policy-answers.js';
import { RUNNING_RULES } from './folding-rules.js';

const recorded = recordedAnswers();
const now = answersOf(RUNNING_RULES);

describe('The code version of the folding rules', () => {
  it('is the one whose answers are recorded (npm run record:policy)', () => {
    expect(recorded.codeVersion).toBe(RUNNING_RULES.codeVersion);
  });

  it('rises with every change of what the policy answers', () => {
    expect(changedAnswers(recorded, now)).toEqual([]);
  });

  it('has its answers recorded to each of the questions that are asked (npm run record:policy)', () => {
    expect(Object.keys(now.answers).sort()).toEqual(Object.keys(recorded.answers).sort());
  });
});
