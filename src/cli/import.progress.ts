import type { ImportJob } from '../stripe/reconciliation/import/import-jobs.js';
import { countSteps, type Step } from './progress.js';

/** Makes steps of an import: how many are read is known, of how many is not; what is to be recorded is. */
export function importSteps(): (job: ImportJob) => Step {
  const step = countSteps();
  return ({ phase, subscriptions, purchases, read, recorded, unchanged }) =>
    phase === 'reading'
      ? {
          part: null,
          eventsPerSecond: null,
          secondsLeft: null,
          says: `${subscriptions} subscriptions and ${purchases} purchases read of Stripe`,
        }
      : step('recorded', recorded + unchanged, read);
}
