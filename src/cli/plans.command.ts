import { Command } from 'commander';
import { InvalidPlanFileError, loadPlanFile } from '../plans/plan-file.js';
import { EXIT } from './exit-codes.js';
import { json, type Terminal } from './terminal.js';

/** `tenure plans …`. */
export function plansCommand(terminal: Terminal): Command {
  const plans = new Command('plans').description('The plan catalogue.');
  plans
    .command('check')
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
  return plans;
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
