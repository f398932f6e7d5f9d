import { Command } from 'commander';
import type { ReconcileOptions } from './reconcile.actions.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const HELP = `
Records every event of Stripe that the log lacks, whether it was delivered or not, as far back as Stripe keeps them (30
days) or since the last time; then compares every subscription with what Stripe has, which also heals what is older. Services
go on meanwhile. Once more right after it appends nothing.

A subscription that Stripe no longer has ends in test mode; in live mode it is listed, and ends with --gone. With --dry-run
nothing is appended. Exits with 1 when it failed.

USER_ID_METADATA_KEY, USER_ID_PATTERN and STRIPE_ACCOUNT must be those of the service.`;

/** `tenure reconcile`. */
export function reconcileCommand(terminal: Terminal): Command {
  return talksTo(new Command('reconcile'), 'stripeAndLog')
    .description('Records what Stripe has and the log lacks.')
    .option('--dry-run', 'say where they differ, and append nothing')
    .option('--gone', 'end the subscriptions that Stripe no longer has, in live mode too')
    .option('--actor <name>', 'who', operator(terminal))
    .option('--json', 'print the reconciliation with its report as JSON')
    .addHelpText('after', HELP)
    .action(async (options: ReconcileOptions) =>
      (await import('./reconcile.actions.js')).reconcile(terminal, options),
    );
}
