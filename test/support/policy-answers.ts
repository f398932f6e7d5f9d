import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { z } from 'zod';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import {
  boughtLife,
  burstLife,
  disputedLife,
  givenLife,
  lapsedLife,
  noisyLife,
  paymentLife,
  stripeLife,
} from './lives.js';

/** Lives of each kind that are asked about, always the same ones. */
const LIVES_OF_A_KIND = 100;
const SEED = 20_261_129;

const KINDS = [
  stripeLife,
  burstLife,
  paymentLife,
  lapsedLife,
  disputedLife,
  noisyLife,
  givenLife,
  boughtLife,
];

const recordedSchema = z.strictObject({
  codeVersion: z.string(),
  answers: z.record(z.string(), z.string()),
});

/** What the policy of one code version answered: digests of answers by digests of questions. */
export type PolicyAnswers = z.infer<typeof recordedSchema>;

/** `test/fixtures/policy-answers.json`, which `npm run record:policy` writes. */
export const RECORDED_ANSWERS = fileURLToPath(new URL('../fixtures/policy-answers.json', import.meta.url));

/** What is recorded. @throws when the file is not there or is no such record */
export function recordedAnswers(): PolicyAnswers {
  return recordedSchema.parse(JSON.parse(readFileSync(RECORDED_ANSWERS, 'utf8')));
}

/** What the given rules answer about the lives of every kind. */
export function answersOf({ codeVersion, judge }: FoldingRules): PolicyAnswers {
  const lives = KINDS.flatMap((kind) => fc.sample(kind(), { numRuns: LIVES_OF_A_KIND, seed: SEED }));
  const answers = lives.map((life) => {
    const { facts, catalog, now } = life;
    return [digest({ facts, catalog, now }), digest(judge(facts, catalog, now))] as const;
  });
  return { codeVersion, answers: Object.fromEntries(answers) };
}

/** Questions that both were asked and answered otherwise. */
export function changedAnswers(before: PolicyAnswers, after: PolicyAnswers): readonly string[] {
  return Object.keys(after.answers).filter(
    (question) => (before.answers[question] ?? after.answers[question]) !== after.answers[question],
  );
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
