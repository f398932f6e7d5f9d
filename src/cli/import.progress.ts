import type { ImportJob } from '../stripe/reconciliation/import/import-jobs.js';
import type { ImportedListName } from '../stripe/reconciliation/import/import-pages.js';
import { countSteps, type Step } from './progress.js';

/** Makes steps of an import: how many are read is known, of how many is not; what is to be recorded is. */
export function importSteps(): (job: ImportJob) => Step {
  const step = countSteps();
  return (job) =>
    job.phase === 'reading'
      ? {
          part: null,
          eventsPerSecond: null,
          secondsLeft: null,
          says: `${readOfStripe(job)} of Stripe`,
        }
      : step('recorded', job.recorded + job.unchanged, job.read);
}

/** How much an import has read, in words. */
export function readOfStripe({
  subscriptions,
  purchases,
  disputes,
  refunds,
  warnings,
}: Pick<ImportJob, ImportedListName>): string {
  return `${subscriptions} subscriptions, ${purchases} purchases, ${disputes} disputes, ${refunds} refunds and ${warnings} fraud warnings read`;
}
