import { Command } from 'commander';
import type { DoctorOptions } from './doctor.actions.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const DOCTOR_HELP = `
Looks at webhook endpoints and event destinations, prices and products, the customer portal, how updates are billed, how
long Stripe collects, and the clock. The key may be a restricted one that reads these. Exits with 0 when nothing is found, with
1 when something is, with 65 when the plan file has faults.`;

/** `tenure doctor`. */
export function doctorCommand(terminal: Terminal): Command {
  return talksTo(new Command('doctor'), 'stripe')
    .description('Asks Stripe, and says what will hurt and what to do about it. Changes nothing.')
    .option('--plans <file>', 'the plan file', terminal.environment.PLANS_FILE || 'plans.yaml')
    .option('--json', 'print [{code, says, remedy}] as JSON')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (options: DoctorOptions) =>
      (await import('./doctor.actions.js')).askDoctor(terminal, options),
    );
}
