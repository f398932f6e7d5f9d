import { Command } from 'commander';
import { PublishPlanCatalog } from '../commands/catalog.aggregate.js';
import { PublishPlanCatalogHandler } from '../commands/command-handlers.js';
import { Repositories } from '../commands/repositories.js';
import { InvalidPlanFileError, type LoadedCatalog, loadPlanFile } from '../plans/plan-file.js';
import type { PublicationReport } from '../projections/rebuild/publication-preview.js';
import { EXIT } from './exit-codes.js';
import { judgedSteps, progressOn } from './progress.js';
import { changeLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { talksTo } from './talks-to.js';
import { json, show, type Terminal } from './terminal.js';
import { knownLog, operator, originOf, withLog, withReadSide } from './with-read-side.js';

const DIFF_HELP = `
Judges every user known by the file's catalogue, as its publication would if it were the next event of the log now, and
compares that with what is read. The log and the read models are only read; services go on meanwhile, and may be stopped.
Exits with 0 when nobody would see a change, with 1 when somebody would, with 65 when the file has faults.`;

const PUBLISH_HELP = `
Appends the catalogue to the log, also when an older file had it and another one came since; running services then judge
every user by it. What PLANS_FILE of a service says does not matter to that: at its next start the service offers its file,
and one that was published before and is not the last stays without effect (the service warns). A file that never was
published is published by that start: so put the new file in place everywhere. Exits with 65 when the file has faults.`;

/** `tenure plans …`. */
export function plansCommand(terminal: Terminal): Command {
  const plans = new Command('plans').description('The plan catalogue.');
  addCheck(plans, terminal);
  addDiff(plans, terminal);
  addPublish(plans, terminal);
  return plans;
}

function addCheck(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('check'), 'nothing')
    .description(
      'Reads a plan file as the service would at its start. Touches nothing and needs no database.',
    )
    .argument('<file>', 'the plan file, such as plans.yaml')
    .option('--json', 'print {ok, hash, faults} as JSON; hash is null when there are faults')
    .addHelpText('after', '\nExits with 1 when the file has faults, each told with its line.')
    .action(async (file: string, options: { json?: true }) => {
      const { hash, faults, says } = await check(file);
      if (options.json) terminal.out(json({ ok: hash !== null, hash, faults }));
      else if (hash === null) for (const fault of faults) terminal.err(`${fault}\n`);
      else terminal.out(`${says}\n`);
      if (hash === null) terminal.exitWith(EXIT.no);
    });
}

function addDiff(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('diff'), 'databaseAndLog')
    .description('Shows who would gain and lose what if a plan file were published now. Changes nothing.')
    .argument('<file>', 'the plan file, such as plans-new.yaml')
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', DIFF_HELP)
    .action((file: string, options: { json?: boolean }) =>
      withFile(terminal, file, (given) =>
        refusing(terminal, () =>
          withReadSide(terminal, 'look', async ({ previewPublication }) => {
            const [progress, step] = [progressOn(terminal), judgedSteps()];
            const report = await previewPublication(given, (...at) => progress.show(step(...at))).finally(
              progress.end,
            );
            show(terminal, options, report, diffLines(file, report));
            if (report.changed > 0 || report.defaultChanged) terminal.exitWith(EXIT.no);
          }),
        ),
      ),
    );
}

function addPublish(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('publish'), 'databaseAndLog')
    .description('Makes the catalogue of a plan file the one that users are judged by.')
    .argument('<file>', 'the plan file, such as plans-new.yaml')
    .option('--actor <name>', 'who', operator(terminal))
    .option('--json', 'print {outcome, hash, position} as JSON; outcome: published, current')
    .addHelpText('after', PUBLISH_HELP)
    .action((file: string, options: { actor: string; json?: boolean }) =>
      withFile(terminal, file, ({ catalog, hash }) =>
        withLog(terminal, async ({ settings, store, now, database: { pool } }) => {
          const origin = { ...originOf(options.actor), causation: null };
          const mayWrite = knownLog(store, pool);
          const { streamPrefix } = settings;
          const repositories = new Repositories(store, { streamPrefix, now, mayWrite });
          const handler = new PublishPlanCatalogHandler(repositories);
          const { outcome, position } = await handler.execute(new PublishPlanCatalog(catalog, hash, origin));
          show(terminal, options, { outcome, hash, position }, [
            outcome === 'published'
              ? `${file} is published at ${position}, hash ${hash}`
              : `${file} is the one published last already, hash ${hash}`,
          ]);
        }),
      ),
    );
}

/** Does `work` with the catalogue of a file; one with faults is told, line by line. */
async function withFile(
  terminal: Terminal,
  file: string,
  work: (given: LoadedCatalog) => Promise<void>,
): Promise<void> {
  let given: LoadedCatalog;
  try {
    given = await loadPlanFile(file);
  } catch (error) {
    if (!(error instanceof InvalidPlanFileError)) throw error;
    for (const line of error.lines) terminal.err(`${line}\n`);
    terminal.exitWith(EXIT.data);
    return;
  }
  await work(given);
}

async function check(
  file: string,
): Promise<{ hash: string | null; faults: readonly string[]; says: string }> {
  try {
    const { catalog, hash } = await loadPlanFile(file);
    const [names, addons] = [Object.keys(catalog.plans), Object.keys(catalog.addons)];
    const says = `${file}: plans ${names.join(', ')}; add-ons ${addons.join(', ') || 'none'}; hash ${hash}`;
    return { hash, faults: [], says };
  } catch (error) {
    if (!(error instanceof InvalidPlanFileError)) throw error;
    return { hash: null, faults: error.lines, says: '' };
  }
}

function diffLines(file: string, report: PublicationReport): readonly string[] {
  const { at, position, hashBefore, hashAfter, judged, moves, features, limits } = report;
  if (hashBefore === hashAfter)
    return [`${file} is the one published last already: publishing changes nothing`];
  return [
    `${file}, if it were published after ${position ?? 'the beginning'}, at ${at}: ${judged} users judged`,
    ...moves.map(({ from, to, users }) => `  plan ${from} -> ${to}: ${users} users`),
    ...features.map(
      ({ feature, gained, lost }) => `  feature ${feature}: ${gained} gain it, ${lost} lose it`,
    ),
    ...limits.map(({ limit, raised, lowered }) => `  limit ${limit}: ${raised} get more, ${lowered} less`),
    ...changeLines(report),
  ];
}
