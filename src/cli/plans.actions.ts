import { PublishPlanCatalog } from '../commands/catalog.aggregate.js';
import { PublishPlanCatalogHandler } from '../commands/command-handlers.js';
import { Repositories } from '../commands/repositories.js';
import { InvalidPlanFileError, loadPlanFile } from '../plans/plan-file.js';
import type { PublicationReport } from '../projections/rebuild/publication-preview.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { keptIn } from './kept-user-ids.js';
import { withPlanFile } from './plan-file-argument.js';
import { judgedSteps, progressOn } from './progress.js';
import { changeLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { json, show, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog, originOf, withReadSide } from './with-read-side.js';

export interface PublishOptions extends JsonOption {
  readonly actor: string;
}

/** `tenure plans check`. */
export async function checkPlans(terminal: Terminal, file: string, options: JsonOption): Promise<void> {
  const { hash, faults, says } = await check(file);
  if (options.json) terminal.out(json({ ok: hash !== null, hash, faults }));
  else if (hash === null) for (const fault of faults) terminal.err(`${fault}\n`);
  else terminal.out(`${says}\n`);
  if (hash === null) terminal.exitWith(EXIT.no);
}

/** `tenure plans diff`. */
export function diffPlans(terminal: Terminal, file: string, options: JsonOption): Promise<void> {
  return withPlanFile(terminal, file, (given) =>
    refusing(terminal, () =>
      withReadSide(terminal, 'read', async ({ previewPublication }) => {
        const [progress, step] = [progressOn(terminal), judgedSteps()];
        const report = await previewPublication(given, (...at) => progress.show(step(...at))).finally(
          progress.end,
        );
        show(terminal, options, report, diffLines(file, report));
        if (report.changed > 0 || report.defaultChanged) terminal.exitWith(EXIT.no);
      }),
    ),
  );
}

/** `tenure plans publish`. */
export function publishPlans(terminal: Terminal, file: string, options: PublishOptions): Promise<void> {
  return withPlanFile(terminal, file, ({ catalog, hash }) =>
    withLog(terminal, 'write', async ({ settings, store, now, pool }) => {
      const origin = { ...originOf(options.actor), causation: null };
      const mayWrite = knownLog(store, pool);
      const { streamPrefix } = settings;
      const repositories = new Repositories(store, {
        streamPrefix,
        now,
        mayWrite,
        userIds: keptIn(terminal),
      });
      const handler = new PublishPlanCatalogHandler(repositories);
      const { outcome, position } = await handler.execute(new PublishPlanCatalog(catalog, hash, origin));
      show(terminal, options, { outcome, hash, position }, [
        outcome === 'published'
          ? `${file} is published at ${position}, hash ${hash}`
          : `${file} is the one published last already, hash ${hash}`,
      ]);
    }),
  );
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
