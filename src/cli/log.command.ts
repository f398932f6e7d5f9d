import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { AdoptionReport, LogPlace } from '../projections/rebuild/adoption.js';
import type { LostEvent } from '../projections/rebuild/lost-events.js';
import { asking, type Reason } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { foldSteps, progressOn } from './progress.js';
import { changeLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { allTalkTo } from './talks-to.js';
import { show, type Terminal } from './terminal.js';
import { withReadSide } from './with-read-side.js';

const HELP = `
For a log that was lost, restored from an older backup or exchanged, and whose events will not come back: services say
log_replaced, and write nothing until then. Without --yes it folds the log, tells what is gone and who would see a change,
changes nothing, and exits with 1. With it the log as it is becomes the one that holds: what is read is made from it,
versions rise where snapshots change, and nothing leads back. Services need no restart.

The ids of Stripe's events that the log lacks are for delivering them again (stripe events resend).`;

/** Lost events shown in lines; a file, or --json, has all. */
const IN_LINES = 20;

interface AdoptOptions extends Reason {
  readonly yes?: true;
  readonly json?: true;
  readonly lost?: string;
}

/** `tenure log …`. */
export function logCommand(terminal: Terminal): Command {
  const log = new Command('log').description('The log that everything is made from.');
  asking(log.command('adopt').description('Takes the log as it is for the right one.'), terminal)
    .option('--yes', 'do it')
    .option('--lost <file>', "write the ids of Stripe's events that the log lacks to a file, one a line")
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action((options: AdoptOptions) =>
      refusing(terminal, () =>
        withReadSide(terminal, 'look', async ({ rebuilds: generations }) => {
          const { actor, reason } = options;
          const [progress, step] = [progressOn(terminal), foldSteps()];
          const report = await generations
            .adoptLog({
              actor,
              reason,
              does: options.yes === true ? 'adopt' : 'tell',
              onProgress: (...at) => progress.show(step(...at)),
            })
            .finally(progress.end);
          if (options.lost !== undefined) await writeFile(options.lost, linesOf(report.lost.stripe));
          show(terminal, options, report, reportLines(report));
          if (report.swap !== null) return;
          terminal.err('tenure: nothing was changed; --yes adopts the log\n');
          terminal.exitWith(EXIT.no);
        }),
      ),
    );
  return allTalkTo(log, 'databaseAndLog');
}

function linesOf(events: readonly LostEvent[]): string {
  return events.map(({ id }) => `${id}\n`).join('');
}

function reportLines(report: AdoptionReport): readonly string[] {
  const { swap, known, log, common, catalog, lost, from, to } = report;
  return [
    swap === null
      ? 'what adopting the log would do'
      : `adopted: generation ${from.generation} to ${to.generation}`,
    `the read models know events up to ${placeOf(known)}`,
    `the log ends at ${placeOf(log)}`,
    `the last event in both that changed what a user may do: ${placeOf(common)}`,
    ...(catalog === 'published again'
      ? ['the plan catalogue in force is not in the log, and is published again']
      : []),
    ...changeLines(report),
    ...lostLines("of Stripe's events", lost.stripe),
    ...lostLines('links and other words of ops', lost.own),
  ];
}

function placeOf({ position, at }: LogPlace): string {
  return position === null ? 'none' : `${position} (${at})`;
}

function lostLines(what: string, events: readonly LostEvent[]): readonly string[] {
  const more = events.length - IN_LINES;
  return [
    `the log lacks ${events.length} ${what}`,
    ...events.slice(0, IN_LINES).map(({ id, type, created }) => {
      const words = [id, type, new Date(created * 1_000).toISOString()];
      return `  ${words.filter((word) => word !== '').join('  ')}`;
    }),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
