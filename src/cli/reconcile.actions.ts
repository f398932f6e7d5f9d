import { Repositories } from '../commands/repositories.js';
import { loadTranslationOptions } from '../config/part-settings.js';
import type { DriftReport } from '../stripe/reconciliation/reconcile/drift-report.js';
import { Reconciliation } from '../stripe/reconciliation/reconcile/reconciliation.js';
import type { Looked, ReconciliationJob } from '../stripe/reconciliation/reconcile/reconciliation-jobs.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { keptIn, stripeIdsAt } from './kept-user-ids.js';
import { progressOn } from './progress.js';
import { refusing } from './refusing.js';
import { show, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog } from './with-read-side.js';
import { withStripe } from './with-stripe.js';

export interface ReconcileOptions extends JsonOption {
  readonly dryRun?: true;
  readonly gone?: true;
  readonly actor: string;
}

/** `tenure reconcile`. @throws InvalidSettingsError, OtherLogError, ReconciliationUnderWayError, and what Stripe's silence throws */
export async function reconcile(terminal: Terminal, options: ReconcileOptions): Promise<void> {
  const translation = loadTranslationOptions(terminal.environment);
  await refusing(terminal, () =>
    withLog(terminal, 'write', async ({ settings: { streamPrefix }, store, now, pool }) =>
      withStripe(terminal, await stripeIdsAt(terminal, pool), async (gateway, livemode) => {
        const progress = progressOn(terminal);
        const reconciliation = new Reconciliation({
          pool,
          store,
          repositories: new Repositories(store, {
            streamPrefix,
            now,
            mayWrite: knownLog(store, pool),
            userIds: keptIn(terminal),
          }),
          gateway,
          streamPrefix,
          livemode,
          translation,
          onProgress: (looked) =>
            progress.show({
              part: null,
              eventsPerSecond: null,
              secondsLeft: null,
              says: lookedAt(looked),
            }),
          signal: new AbortController().signal,
        });
        const job = await reconciliation
          .run({
            afterwards: options.dryRun === true ? 'report' : 'record',
            gone: options.gone === true ? 'end' : 'list',
            actor: options.actor,
          })
          .finally(() => progress.end());
        show(terminal, options, job, linesOf(job));
        if (job.phase === 'failed') terminal.exitWith(EXIT.no);
      }),
    ),
  );
}

function linesOf(job: ReconciliationJob): readonly string[] {
  const { afterwards, failure, report } = job;
  if (report === null) return [`the reconciliation failed: ${failure}`];
  const done = afterwards === 'record' ? 'repaired' : 'nothing was recorded';
  return [`${lookedAt(job)}; ${done}`, ...driftLines(report)];
}

function lookedAt({ events, subscriptions, purchases, disputes, refunds, warnings }: Looked): string {
  return `${events} events, ${subscriptions} subscriptions, ${purchases} purchases, ${disputes} disputes, ${refunds} refunds and ${warnings} fraud warnings looked at`;
}

function driftLines({
  missedEvents,
  unusableEvents,
  unusableObjects,
  differences,
  gone,
}: DriftReport): readonly string[] {
  return [
    `  events that the log lacked: ${missedEvents.count}`,
    ...missedEvents.first.map(
      ({ event, type, created }) => `    ${new Date(created * 1_000).toISOString()} ${type} ${event}`,
    ),
    `  events that cannot be recorded: ${unusableEvents.count}`,
    ...unusableEvents.first.map(({ event, why }) => `    ${event}: ${why}`),
    `  objects that cannot be recorded: ${unusableObjects.count}`,
    ...unusableObjects.first.map(({ kind, id, why }) => `    ${kind} ${id}: ${why}`),
    `  objects that differed: ${differences.count}`,
    ...differences.first.map(({ kind, id }) => `    ${kind} ${id}`),
    `  objects that Stripe no longer has: ${gone.count}`,
    ...gone.first.map(({ kind, id, ended }) => `    ${kind} ${id}${ended ? ': ended' : ''}`),
  ];
}
