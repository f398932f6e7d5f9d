import { Command } from 'commander';
import type { JsonOption } from './arguments.js';
import type { PublishOptions } from './plans.actions.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const actions = () => import('./plans.actions.js');

const DIFF_HELP = `
Judges every user known by the file's catalogue, as its publication would if it were the next event of the log now, and
compares that with what is read. The log and the read models are only read; services go on meanwhile, and may be stopped.
Exits with 0 when nobody would see a change, with 1 when somebody would, with 65 when the file has faults.`;

const PUBLISH_HELP = `
Appends the catalogue to the log, also when an older file had it and another one came since; running services then judge
every user by it. What PLANS_FILE of a service says does not matter to that: at its next start the service offers its file,
and one that was published before and is not the last stays without effect (the service warns). A file that never was
published is published by that start: so put the new file in place everywhere. Exits with 65 when the file has faults.`;

const DRAFT_HELP = `
Makes a plan of each product with recurring prices, archived ones included, since subscriptions may still run on them. What
Stripe does not know is yours to add: limits, which products are add-ons, what everybody has. The key may be a restricted
one that reads products, prices and features.

Example:
  STRIPE_SECRET_KEY=rk_test_… tenure plans draft > plans.yaml && tenure plans check plans.yaml`;

/** `tenure plans …`. */
export function plansCommand(terminal: Terminal): Command {
  const plans = new Command('plans').description('The plan catalogue.');
  addCheck(plans, terminal);
  addDiff(plans, terminal);
  addDraft(plans, terminal);
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
    .action(async (file: string, options: JsonOption) =>
      (await actions()).checkPlans(terminal, file, options),
    );
}

function addDiff(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('diff'), 'databaseAndLog')
    .description('Shows who would gain and lose what if a plan file were published now. Changes nothing.')
    .argument('<file>', 'the plan file, such as plans-new.yaml')
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', DIFF_HELP)
    .action(async (file: string, options: JsonOption) =>
      (await actions()).diffPlans(terminal, file, options),
    );
}

function addDraft(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('draft'), 'stripe')
    .description(
      'Prints a plan file of what is sold at Stripe, to be edited. Changes nothing, at Stripe or here.',
    )
    .addHelpText('after', DRAFT_HELP)
    .action(async () => (await import('./plans-draft.actions.js')).draftPlans(terminal));
}

function addPublish(plans: Command, terminal: Terminal): void {
  talksTo(plans.command('publish'), 'databaseAndLog')
    .description('Makes the catalogue of a plan file the one that users are judged by.')
    .argument('<file>', 'the plan file, such as plans-new.yaml')
    .option('--actor <name>', 'who', operator(terminal))
    .option('--json', 'print {outcome, hash, position} as JSON; outcome: published, current')
    .addHelpText('after', PUBLISH_HELP)
    .action(async (file: string, options: PublishOptions) =>
      (await actions()).publishPlans(terminal, file, options),
    );
}
