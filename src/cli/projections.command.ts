import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { claimForLog, logOf } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import type { BuildProgress } from '../projections/generations/build-progress.js';
import type { ComparisonReport } from '../projections/generations/comparison.js';
import { GenerationError } from '../projections/generations/errors.js';
import { foldingBeside } from '../projections/generations/folding-beside.js';
import type { Generation } from '../projections/generations/generation-table.js';
import type { Generations } from '../projections/generations/generations.js';
import type { SwapReport } from '../projections/generations/swap.js';
import type { VerificationReport } from '../projections/generations/verification.js';
import { EXIT } from './exit-codes.js';
import { withServiceData } from './service-data.js';
import { json, type Terminal } from './terminal.js';

interface Reason {
  readonly actor: string;
  readonly reason: string;
}

const HELP = `
Works straight on the database and the log; services may run meanwhile, and fold what is built. Where none does, rebuild,
swap and rollback fold it themselves while they run. Exits with 1 when what was asked is refused (the message says why),
and when verify found a difference.`;

/** `tenure projections …`, thin over `Generations`: on the database of the service, whether it runs or not. */
export function projectionsCommand(terminal: Terminal): Command {
  const command = new Command('projections')
    .description('Rebuilds, compares, swaps, rolls back and verifies the read models.')
    .addHelpText('after', HELP);
  const progress = progressOn(terminal);
  const work = async (
    fold: 'fold' | 'look',
    does: (generations: Generations) => Promise<void>,
  ): Promise<void> => {
    try {
      await withGenerations(terminal, fold, does);
    } catch (error) {
      if (!(error instanceof GenerationError)) throw error;
      terminal.err(`tenure: ${error.message} (${error.code})\n`);
      terminal.exitWith(EXIT.no);
    }
  };
  const show = (asJson: boolean | undefined, value: unknown, lines: readonly string[]): void => {
    if (asJson === true) terminal.out(json(value));
    else for (const line of lines) terminal.out(`${line}\n`);
  };

  command
    .command('list')
    .description('Shows every generation: which one is read, by what code it was made, how far it is.')
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean }) =>
      work('look', async (generations) => {
        const all = await generations.list();
        show(options.json, all, all.map(generationLine));
      }),
    );

  command
    .command('status')
    .description('Shows the generations and the last ten swaps.')
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean }) =>
      work('look', async (generations) => {
        const [all, swaps] = [await generations.list(), await generations.swaps(10)];
        show(options.json, { generations: all, swaps }, [
          ...all.map(generationLine),
          ...swaps.map(
            ({ swap, kind, from, to, usersChanged, actor, reason, at }) =>
              `${at.toISOString()}  ${kind} ${swap}: ${from} to ${to}, ${usersChanged} users changed, by ${actor}: ${reason}`,
          ),
        ]);
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
    .action(
      ({ json: asJson, dryRun, keep, ...asked }: Reason & Record<'json' | 'dryRun' | 'keep', boolean>) =>
        work('fold', async (generations) => {
          const afterwards = keep ? 'keep' : dryRun ? 'drop' : 'swap';
          const report = await generations.rebuild({ ...asked, afterwards }, (reached) =>
            progress(progressLine(reached)),
          );
          show(asJson, report, reportLines(report));
        }),
    );

  asking(
    command
      .command('swap')
      .argument('<generation>', 'its number', wholeNumber)
      .description('Makes a kept build, or an earlier generation, the one that is read.'),
  )
    .option('--json', 'one JSON document')
    .action((generation: number, { json: asJson, ...asked }: Reason & { json?: boolean }) =>
      work('fold', async (generations) => {
        const report = await generations.swap(generation, asked);
        show(asJson, report, reportLines(report));
      }),
    );

  asking(command.command('rollback').description('Goes back to what the last swap replaced.'))
    .option('--dry-run', 'only compare')
    .option('--json', 'one JSON document')
    .action(({ json: asJson, dryRun, ...asked }: Reason & Record<'json' | 'dryRun', boolean>) =>
      work('fold', async (generations) => {
        const report = dryRun ? await generations.compareRollBack() : await generations.rollBack(asked);
        show(asJson, report, reportLines(report));
      }),
    );

  command
    .command('drop')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Removes a build, or a generation that is not read any more, once no earlier read uses it.')
    .action((generation: number) =>
      work('look', async (generations) => {
        await generations.drop(generation);
        terminal.out(`generation ${generation} is dropped\n`);
      }),
    );

  command
    .command('verify')
    .description('Folds the log again and compares it with what is read; changes nothing.')
    .option('--users <count>', 'judge and compare only so many users, at random', wholeNumber)
    .option('--json', 'one JSON document')
    .action(({ json: asJson, users }: { json?: boolean; users?: number }) =>
      work('look', async (generations) => {
        const report = await generations.verify(users ?? 'all', operator(), (handled, until) =>
          progress(`at ${handled ?? 'the beginning'} of ${until ?? 'nothing'}`),
        );
        show(asJson, report, verificationLines(report));
        if (report.differences > 0) terminal.exitWith(EXIT.no);
      }),
    );
  return command;
}

/** Opens what the commands work with; told to fold, this process goes on with builds unless a service does. */
function withGenerations(
  terminal: Terminal,
  fold: 'fold' | 'look',
  does: (generations: Generations) => Promise<void>,
): Promise<void> {
  return withServiceData(terminal, async ({ settings, database: { pool }, databaseUrl }) => {
    const onTrouble = (error: unknown): void =>
      terminal.err(`tenure: ${error instanceof Error ? error.message : String(error)}\n`);
    await claimForLog(pool, logOf(settings));
    const store = openEventStore(settings, { pool, databaseUrl, onFault: onTrouble });
    try {
      const onFault = (generation: number, { message }: { readonly message: string }): void =>
        onTrouble(`generation ${generation} stopped: ${message}`);
      const beside = foldingBeside({ store, pool, url: databaseUrl, onFault, onTrouble });
      try {
        if (fold === 'fold') beside.keeper.start();
        await does(beside.generations);
      } finally {
        await beside.stop();
      }
    } finally {
      await store.close();
    }
  });
}

/** How often work that goes on is told, in milliseconds. */
const PROGRESS_MS = 2_000;

/** Tells now and then how far work is. */
function progressOn(terminal: Terminal): (line: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    terminal.err(`tenure: ${line}\n`);
  };
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
