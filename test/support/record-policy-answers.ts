/**
 * `npm run record:policy`: keeps what the policy answers now beside its code version. Refuses where an answer is another one
 * and the code version is not.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { answersOf, changedAnswers, RECORDED_ANSWERS, recordedAnswers } from './policy-answers.js';

const now = answersOf(RUNNING_RULES);
const before = existsSync(RECORDED_ANSWERS) ? recordedAnswers() : { codeVersion: '', answers: {} };
const changed = changedAnswers(before, now);
if (changed.length > 0 && before.codeVersion === now.codeVersion) {
  console.error(
    `${changed.length} answers are other ones than code version ${now.codeVersion} gave: raise codeVersion in ` +
      'src/projections/entitlements/folding-rules.ts first',
  );
  process.exit(1);
}
writeFileSync(RECORDED_ANSWERS, `${JSON.stringify(now, null, 2)}\n`);
console.log(
  `recorded ${Object.keys(now.answers).length} answers of code version ${now.codeVersion}, ${changed.length} changed`,
);
