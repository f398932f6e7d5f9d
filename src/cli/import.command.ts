import { Command } from 'commander';
import type { ImportOptions } from './import.actions.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const HELP = `
Reads every subscription of the Stripe account (in whatever status, with customer and latest invoice), says what would hold,
and records what Stripe showed. Nothing is appended before everything was read. Services go on meanwhile; what Stripe
delivers since stands. Asks as gently as a service (STRIPE_REQUESTS_PER_SECOND). Ended at any moment, the same command goes on
where it was. An import once more records only what is new.

--links names a file of lines such as

  cus_NffrFeUfNV2Hib,user_42

each saying whose a customer is; it outranks what Stripe says. With --dry-run nothing is appended. Exits with 1 when the
import failed, with 65 when the file has faults.

USER_ID_METADATA_KEY and USER_ID_PATTERN must be those of the service.`;

/** `tenure import`. */
export function importCommand(terminal: Terminal): Command {
  return talksTo(new Command('import'), 'stripeAndLog')
    .description('Brings the subscriptions that Stripe has in, with what tells whose they are.')
    .option('--links <file>', 'whose customers are: lines of customer,user')
    .option('--dry-run', 'say what would hold, and append nothing')
    .option('--actor <name>', 'who', operator(terminal))
    .option('--json', 'print the import with its report as JSON')
    .addHelpText('after', HELP)
    .action(async (options: ImportOptions) =>
      (await import('./import.actions.js')).importFromStripe(terminal, options),
    );
}
