import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { ComparisonReport } from '../projections/generations/comparison.js';
import { GenerationError } from '../projections/generations/errors.js';
import type { Generation } from '../projections/generations/generation-table.js';
import type { BuildProgress, Generations } from '../projections/generations/generations.js';
import type { SwapReport } from '../projections/generations/swap.js';
import type { VerificationReport } from '../projections/generations/verification.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { withGenerations } from './open-generations.js';
import { ProgressLine, type Terminal } from './terminal.js';

interface Reason {
  readonly actor: string;
  readonly reason: string;
}

const HELP = `
Works on the database and the log of the service, whether services run or not. Exits with 1 when verify finds differences,
with 2 when something is refused: the message says why.`;

/** `tenure projections …`, thin over `Generations`. */
export function projectionsCommand(terminal: Terminal): Command {
  const command = new Command('projections')
    .description('Rebuilds, compares, swaps, rolls back and verifies the read models.')
    .addHelpText('after', HELP);
  const progress = new ProgressLine(terminal);
  const work = async (
    fold: 'fold' | 'look',
    does: (generations: Generations) => Promise<ExitCode>,
  ): Promise<void> => {
    try {
      terminal.exitWith(await withGenerations(terminal, fold, does));
    } catch (error) {
      if (!(error instanceof GenerationError)) throw error;
      progress.end();
      terminal.err(`tenure: ${error.message} (${error.code})\n`);
      terminal.exitWith(EXIT.refused);
    }
  };
  const print = (line: string): void => {
    progress.end();
    terminal.out(`${line}\n`);
  };
  const show = (json: boolean | undefined, value: unknown, lines: readonly string[]): void => {
    if (json === true) print(JSON.stringify(value));
    else for (const line of lines) print(line);
  };

  command
    .command('list')
    .description('Shows every generation: which one is read, by what code it was made, how far it is.')
    .option('--json', 'one JSON document')
    .action(({ json }: { json?: boolean }) =>
      work('look', async (generations) => {
        const all = await generations.list();
        show(json, all, all.map(generationLine));
        return EXIT.done;
      }),
    );

  command
    .command('status')
    .description('Shows the generations and the last ten swaps.')
    .option('--json', 'one JSON document')
    .action(({ json }: { json?: boolean }) =>
      work('look', async (generations) => {
        const [all, swaps] = [await generations.list(), await generations.swaps(10)];
        show(json, { generations: all, swaps }, [
          ...all.map(generationLine),
          ...swaps.map(
            ({ swap, kind, from, to, usersChanged, actor, reason, at }) =>
              `${at.toISOString()}  ${kind} ${swap}: ${from} to ${to}, ${usersChanged} users changed, by ${actor}: ${reason}`,
          ),
        ]);
        return EXIT.done;
      }),
    );

  asking(
    command
      .command('rebuild')
      .description('Builds a generation beside the one that is read, compares it, and swaps it in.'),
  )
    .option('--dry-run', 'only compare, then drop the build')
    .option('--keep', 'only compare, and keep the build for `swap`')
    .option('--json', 'one JSON document')
    .action(({ json, dryRun, keep, ...asked }: Reason & Record<'json' | 'dryRun' | 'keep', boolean>) =>
      work('fold', async (generations) => {
        const afterwards = keep ? 'keep' : dryRun ? 'drop' : 'swap';
        const report = await generations.rebuild({ ...asked, afterwards }, (built) =>
          progress.tell(progressLine(built)),
        );
        show(json, report, reportLines(report));
        return EXIT.done;
      }),
    );

  asking(
    command
      .command('swap')
      .argument('<generation>', 'its number', wholeNumber)
      .description('Makes a kept build, or an earlier generation, the one that is read.'),
  )
    .option('--json', 'one JSON document')
    .action((generation: number, { json, ...asked }: Reason & { json?: boolean }) =>
      work('fold', async (generations) => {
        const report = await generations.swap(generation, asked);
        show(json, report, reportLines(report));
        return EXIT.done;
      }),
    );

  asking(command.command('rollback').description('Goes back to what the last swap replaced.'))
    .option('--dry-run', 'only compare')
    .option('--json', 'one JSON document')
    .action(({ json, dryRun, ...asked }: Reason & Record<'json' | 'dryRun', boolean>) =>
      work('fold', async (generations) => {
        const report = dryRun ? await generations.compareRollBack() : await generations.rollBack(asked);
        show(json, report, reportLines(report));
        return EXIT.done;
      }),
    );

  command
    .command('drop')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Removes a build, or a generation that is not read any more, once no earlier read uses it.')
    .action((generation: number) =>
      work('look', async (generations) => {
        await generations.drop(generation);
        print(`generation ${generation} is dropped`);
        return EXIT.done;
      }),
    );

  command
    .command('verify')
    .description('Folds the log again and compares it with what is read; changes nothing.')
    .option('--users <count>', 'judge and compare only so many users, at random', wholeNumber)
    .option('--json', 'one JSON document')
    .action(({ json, users }: { json?: boolean; users?: number }) =>
      work('look', async (generations) => {
        const report = await generations.verify(users ?? 'all', operator(), (handled, until) =>
          progress.tell(`at ${handled ?? 'the beginning'} of ${until ?? 'nothing'}`),
        );
        show(json, report, verificationLines(report));
        return report.differences === 0 ? EXIT.done : EXIT.no;
      }),
    );
  return command;
}

/** Whoever changes what is served says who and why. */
function asking(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why: kept with what is done')
    .option('--actor <name>', 'who', operator());
}

function operator(): string {
  return `cli:${userInfo().username}`;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on');
  return Number(text);
}

function generationLine({ generation, role, fold, startedBy, startedAt, reason }: Generation): string {
  const at = fold === null ? 'not folded' : `at ${fold.checkpoint.handled ?? 'the beginning'}`;
  const code = fold === null ? '' : `, code ${fold.builtBy}`;
  const mixed = fold?.mixedAfter == null ? '' : `, mixed with ${fold.foldedBy} after ${fold.mixedAfter}`;
  const fault = fold?.checkpoint.fault == null ? '' : `, STOPPED: ${fold.checkpoint.fault.message}`;
  return `${generation}  ${role}  ${at}${code}${mixed}${fault}  (${startedBy}, ${startedAt.toISOString()}: ${reason})`;
}

function progressLine(progress: BuildProgress): string {
  const { generation, handled, live, events, eventsPerSecond, secondsLeft } = progress;
  const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft)} s left`;
  return (
    `generation ${generation}: ${events} events, at ${handled ?? 'the beginning'} of ${live ?? 'nothing'}, ` +
    `${Math.round(eventsPerSecond)} events/s${left}`
  );
}

function reportLines(report: ComparisonReport | SwapReport): readonly string[] {
  const { from, to, position, changed, detailsOnly, byKind, first, defaultChanged, mixed } = report;
  const did = 'swap' in report ? `${report.kind} ${report.swap}` : 'compared';
  return [
    `${did}: generation ${from.generation} (code ${from.builtBy}) to ${to.generation} (code ${to.builtBy}) at ${position ?? 'the beginning'}`,
    `${changed} users change, ${detailsOnly} more in dates alone`,
    ...Object.entries(byKind).flatMap(([kind, users]) => (users === 0 ? [] : [`  ${kind}: ${users}`])),
    ...first.map(
      ({ userId, kinds, before, after, versionBefore, versionAfter }) =>
        `  ${userId}: ${kinds.map((kind) => `${kind} ${JSON.stringify(before[kind])} -> ${JSON.stringify(after[kind])}`).join(', ')} (version ${versionBefore} -> ${versionAfter})`,
    ),
    ...(defaultChanged ? ['users never heard of are served another default plan'] : []),
    ...(mixed === null
      ? []
      : [
          `not exact: other code has changed ${mixed.users} users there after ${mixed.after}: ${mixed.first.join(', ')}`,
        ]),
  ];
}

function verificationLines(report: VerificationReport): readonly string[] {
  const { generation, position, users, differences, first, builtBy, running } = report;
  const whom = users === null ? 'all users' : `${users} users`;
  return [
    `generation ${generation} (code ${builtBy}) at ${position ?? 'the beginning'}, ${whom}, folded again by code ${running}`,
    differences === 0 ? 'no difference' : `${differences} rows differ`,
    ...first.map(({ table, found, row }) => `  ${table}, ${found}: ${JSON.stringify(row)}`),
  ];
}
