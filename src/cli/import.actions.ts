import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import { Repositories } from '../commands/repositories.js';
import { loadTranslationOptions } from '../config/part-settings.js';
import type { ImportJob } from '../stripe/reconciliation/import/import-jobs.js';
import { InvalidLinksError, importLinks } from '../stripe/reconciliation/import/import-links.js';
import type { ImportReport } from '../stripe/reconciliation/import/import-report.schema.js';
import { Importer, type ImportLink } from '../stripe/reconciliation/import/importer.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { importSteps, readOfStripe } from './import.progress.js';
import { keepsPseudonyms, keptIn, storedAt, stripeIdsAt } from './kept-user-ids.js';
import { progressOn } from './progress.js';
import { refusing } from './refusing.js';
import { show, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog } from './with-read-side.js';
import { withStripe } from './with-stripe.js';

export interface ImportOptions extends JsonOption {
  readonly links?: string;
  readonly dryRun?: true;
  readonly actor: string;
}

/** `tenure import`. @throws InvalidSettingsError, OtherLogError, and what Stripe's silence throws */
export async function importFromStripe(terminal: Terminal, options: ImportOptions): Promise<void> {
  const links = await linksOf(terminal, options.links);
  if (links === null) return;
  const { account: stripeAccount, ...claims } = loadTranslationOptions(terminal.environment);
  await refusing(terminal, () =>
    withLog(terminal, 'write', async ({ settings: { streamPrefix }, store, now, pool }) =>
      withStripe(terminal, await stripeIdsAt(terminal, pool), async (gateway, livemode) => {
        const [progress, step] = [progressOn(terminal), importSteps()];
        const importer = new Importer({
          pool,
          store,
          repositories: new Repositories(store, {
            streamPrefix,
            now,
            mayWrite: knownLog(store, pool),
            userIds: keptIn(terminal),
          }),
          gateway,
          stripeAccount,
          streamPrefix,
          livemode,
          claims,
          now,
          onProgress: (job) => progress.show(step(job)),
          signal: new AbortController().signal,
        });
        const afterwards = options.dryRun === true ? 'report' : 'record';
        const job = await importer
          .run({ afterwards, actor: options.actor, links: await storedLinks(terminal, pool, links) })
          .finally(() => progress.end());
        show(terminal, options, job, linesOf(job));
        if (job.phase === 'failed') terminal.exitWith(EXIT.no);
      }),
    ),
  );
}

/** The links of a file; `null` where it has faults, which are told. */
async function linksOf(terminal: Terminal, file: string | undefined): Promise<readonly ImportLink[] | null> {
  if (file === undefined) return [];
  try {
    return importLinks(await readFile(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof InvalidLinksError)) throw error;
    for (const line of error.lines) terminal.err(`${file}: ${line}\n`);
    terminal.exitWith(EXIT.data);
    return null;
  }
}

function linesOf(job: ImportJob): readonly string[] {
  const { afterwards, phase, failure, read, recorded, unchanged } = job;
  const looked = readOfStripe(job);
  const came =
    phase === 'failed'
      ? `the import failed: ${failure}`
      : afterwards === 'report'
        ? `${looked}: of ${read} events ${job.report?.newEvents ?? 'none'} would be new; nothing was recorded`
        : `${looked}, ${recorded} events recorded, ${unchanged} said nothing new`;
  return job.report === null ? [came] : [came, ...reportLines(job.report)];
}

function reportLines(report: ImportReport): readonly string[] {
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const { unlinked, unlinkedPurchases, conflicts, severalSubscriptions, unusableObjects } = report;
  return [
    `  users by plan: ${counted(report.users)}`,
    `  subscriptions by status: ${counted(report.subscriptions)}`,
    `  prices in no plan, by users: ${counted(report.unmappedPrices)}`,
    `  live subscriptions of nobody: ${unlinked.count}`,
    ...unlinked.first.map(({ subscription, customer }) => `    ${subscription} of ${customer ?? 'nobody'}`),
    `  plans that were bought for good: ${counted(report.purchases)}`,
    `  purchases of nobody that give a plan: ${unlinkedPurchases.count}`,
    ...unlinkedPurchases.first.map(({ session, customer }) => `    ${session} of ${customer ?? 'nobody'}`),
    `  what names two users: ${conflicts.count}`,
    ...conflicts.first.map(({ kind, id }) => `    ${kind} ${id}`),
    `  users with several live subscriptions: ${severalSubscriptions.count}`,
    ...severalSubscriptions.first.map((each) => `    ${each.userId}: ${each.subscriptions.join(', ')}`),
    `  objects that cannot be recorded: ${unusableObjects.count}`,
    ...unusableObjects.first.map(({ kind, id, why }) => `    ${kind} ${id}: ${why}`),
  ];
}

/** The links with what stands for their user ids inside. @throws ProblemError `invalid_user_id`, UserErasedError */
async function storedLinks(
  terminal: Terminal,
  pool: Pool,
  links: readonly ImportLink[],
): Promise<readonly ImportLink[]> {
  if (!keepsPseudonyms(terminal) || links.length === 0) return links;
  const stored = await storedAt(
    terminal,
    pool,
    links.map(({ userId }) => userId),
  );
  return links.map((link) => ({ ...link, userId: stored.get(link.userId) ?? link.userId }));
}
