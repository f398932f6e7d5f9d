import { Command } from 'commander';
import { asking, positionOf, type Reason, wholeNumber } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { buildStep, foldSteps, progressOn } from './progress.js';
import { generationLine, reportLines, swapLine, verificationLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { allTalkTo } from './talks-to.js';
import { show, type Terminal } from './terminal.js';
import { type Folding, operator, originOf, type ReadSide, withReadSide } from './with-read-side.js';

const HELP = `
Works straight on the database and the log; services may run meanwhile, and fold what is built. Where none does, rebuild,
swap and rollback fold it themselves while they run. Exits with 1 when what was asked is refused (the message says why),
and when verify found a difference.`;

const SKIP_HELP = `
The position is that of the first event that a stream has set aside, or at which the projection stands, as \`status\` and
/v1/ops/faults show it; another one is refused. Events after it go on to be folded, without it: what they say may need it. The skip is appended to the log, under your name, and stays. Code that can
fold the event folds it all the same: after a fix, rebuild, and what was skipped is there.`;

/** `tenure projections …`, thin over `Generations` and `Faults`: on the database of the service, whether it runs or not. */
export function projectionsCommand(terminal: Terminal): Command {
  const command = new Command('projections')
    .description('Rebuilds, compares, swaps, rolls back, verifies and heals the read models.')
    .addHelpText('after', HELP);
  const work: Work = (folding, does) => refusing(terminal, () => withReadSide(terminal, folding, does));
  addLooks(command, terminal, work);
  addMoves(command, terminal, work);
  addFaults(command, terminal, work);
  return allTalkTo(command, 'databaseAndLog');
}

type Work = (folding: Folding, does: (side: ReadSide) => Promise<void>) => Promise<void>;

function addLooks(command: Command, terminal: Terminal, work: Work): void {
  command
    .command('list')
    .description('Shows every generation: which one is read, by what code it was made, how far it is.')
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean }) =>
      work('look', async ({ rebuilds: generations }) => {
        const all = await generations.list();
        show(terminal, options, all, all.map(generationLine));
      }),
    );

  command
    .command('status')
    .description('Shows the generations and the last ten swaps.')
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean }) =>
      work('look', async ({ rebuilds: generations }) => {
        const [all, swaps] = [await generations.list(), await generations.swaps(10)];
        show(terminal, options, { generations: all, swaps }, [
          ...all.map(generationLine),
          ...swaps.map(swapLine),
        ]);
      }),
    );

  command
    .command('verify')
    .description('Folds the log again and compares it with what is read; changes nothing.')
    .option('--users <count>', 'judge and compare only so many users, at random', wholeNumber)
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean; users?: number }) =>
      work('look', async ({ rebuilds: generations }) => {
        const [progress, step] = [progressOn(terminal), foldSteps()];
        const report = await generations
          .verify(options.users ?? 'all', operator(terminal), (...at) => progress.show(step(...at)))
          .finally(progress.end);
        show(terminal, options, report, verificationLines(report));
        if (report.differences > 0) terminal.exitWith(EXIT.no);
      }),
    );
}

function addMoves(command: Command, terminal: Terminal, work: Work): void {
  const rebuild = command
    .command('rebuild')
    .description('Builds a generation beside the one that is read, compares it, and swaps it in.');
  asking(rebuild, terminal)
    .option('--dry-run', 'only compare, then drop the build')
    .option('--keep', 'only compare, and keep the build for `swap`')
    .option('--json', 'one JSON document')
    .action((options: Reason & Partial<Record<'json' | 'dryRun' | 'keep', boolean>>) =>
      work('fold', async ({ rebuilds: generations }) => {
        const { actor, reason, keep, dryRun } = options;
        const progress = progressOn(terminal);
        const report = await generations
          .rebuild({ actor, reason, afterwards: keep ? 'keep' : dryRun ? 'drop' : 'swap' }, (reached) =>
            progress.show(buildStep(reached)),
          )
          .finally(progress.end);
        show(terminal, options, report, reportLines(report));
      }),
    );

  const swap = command
    .command('swap')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Makes a kept build, or an earlier generation, the one that is read.');
  asking(swap, terminal)
    .option('--json', 'one JSON document')
    .action((generation: number, options: Reason & { json?: boolean }) =>
      work('fold', async ({ rebuilds: generations }) => {
        const { actor, reason } = options;
        const report = await generations.swap(generation, { actor, reason });
        show(terminal, options, report, reportLines(report));
      }),
    );

  asking(command.command('rollback').description('Goes back to what the last swap replaced.'), terminal)
    .option('--dry-run', 'only compare')
    .option('--json', 'one JSON document')
    .action((options: Reason & Partial<Record<'json' | 'dryRun', boolean>>) =>
      work('fold', async ({ rebuilds: generations }) => {
        const { actor, reason, dryRun } = options;
        const report = dryRun
          ? await generations.compareRollBack()
          : await generations.rollBack({ actor, reason });
        show(terminal, options, report, reportLines(report));
      }),
    );

  command
    .command('drop')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Removes a build, or a generation that is not read any more, once no earlier read uses it.')
    .option('--json', 'print {generation} as JSON')
    .action((generation: number, options: { json?: boolean }) =>
      work('look', async ({ rebuilds: generations }) => {
        await generations.drop(generation);
        show(terminal, options, { generation }, [`generation ${generation} is dropped`]);
      }),
    );
}

function addFaults(command: Command, terminal: Terminal, work: Work): void {
  command
    .command('resume')
    .argument('[generation]', 'its number; left out: the one that is read', wholeNumber)
    .description('Has what is set aside, or stands, tried again: what was in the way was not the code.')
    .option('--json', 'print {generation, fault, streams, users} as JSON')
    .addHelpText(
      'after',
      '\nA new deploy tries by itself. What still fails is set aside again: `status` shows it.',
    )
    .action((generation: number | undefined, options: { json?: boolean }) =>
      work('look', async ({ recovery: faults }) => {
        const resumed = await faults.resume(generation ?? 'live');
        const { fault, streams, users } = resumed;
        const stood = fault === null ? '' : ` at ${fault.type} (position ${fault.position})`;
        show(terminal, options, resumed, [
          `generation ${resumed.generation} is tried again${stood}: ${streams} streams and ${users} users`,
        ]);
      }),
    );

  const skip = command
    .command('skip')
    .argument('<position>', 'where a stream is set aside, or the projection stands', positionOf)
    .description('Lets the projection go past an event that it cannot fold; kept in the log.')
    .addHelpText('after', SKIP_HELP);
  asking(skip, terminal)
    .option('--json', 'print {outcome, position, skipped, reason} as JSON; outcome: skipped, skipped_before')
    .action((position: string, options: Reason & { json?: boolean }) =>
      work('look', async ({ recovery: faults }) => {
        const { actor, reason } = options;
        const done = await faults.skip(position, { ...originOf(actor), reason });
        const { outcome, skipped } = done;
        const was = outcome === 'skipped' ? 'is skipped' : `was skipped before: ${done.reason}`;
        show(terminal, options, done, [`${skipped.type} at ${position} (${skipped.stream}) ${was}`]);
      }),
    );
}
