import { writeFile } from 'node:fs/promises';
import type { AdoptionReport, LogPlace } from '../projections/rebuild/adoption.js';
import type { LostEvent } from '../projections/rebuild/lost-events.js';
import type { JsonOption, Reason } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { foldSteps, progressOn } from './progress.js';
import { changeLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { show, type Terminal } from './terminal.js';
import { withReadSide } from './with-read-side.js';

export interface AdoptOptions extends Reason, JsonOption {
  readonly yes?: true;
  readonly lost?: string;
}

/** Lost events shown in lines; a file, or --json, has all. */
const IN_LINES = 20;

/** `tenure log adopt`. */
export function adoptLog(terminal: Terminal, options: AdoptOptions): Promise<void> {
  const { actor, reason } = options;
  const does = options.yes === true ? 'adopt' : 'preview';
  return refusing(terminal, () =>
    withReadSide(terminal, does === 'adopt' ? 'write' : 'read', async ({ rebuilds }) => {
      const [progress, step] = [progressOn(terminal), foldSteps()];
      const onProgress = (...at: Parameters<typeof step>): void => progress.show(step(...at));
      const report = await rebuilds.adoptLog({ actor, reason, does, onProgress }).finally(progress.end);
      if (options.lost !== undefined) await writeFile(options.lost, linesOf(report.lost.stripe));
      show(terminal, options, report, reportLines(report));
      if (report.swap !== null) return;
      terminal.err('tenure: nothing was changed; --yes adopts the log\n');
      terminal.exitWith(EXIT.no);
    }),
  );
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
    ...lostLines('links, grants and overrides', lost.own),
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
