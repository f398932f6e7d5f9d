import { Command } from 'commander';
import { actorOf, momentOf, userOf } from './arguments.js';
import type { ReplayOptions } from './audit-replay.actions.js';
import { allTalkTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const REPLAY_HELP = `
Each step is an event of the user's streams, or the clock, what Stripe or an operator said, and, where it changed, what the
user could do from then on and the rule that decided. Who looks is recorded before anything is shown: AuditAccessed, once an
hour for a user.`;

/** `tenure audit …`. */
export function auditCommand(terminal: Terminal): Command {
  const audit = new Command('audit').description('What auditors read; each look is recorded.');
  audit
    .command('replay')
    .description('Tells the life of a user step by step.')
    .requiredOption('--user <user>', 'your own id of the user', userOf)
    .option('--until <time>', 'only what was recorded by then, RFC 3339', momentOf)
    .option('--actor <name>', 'who looks', actorOf, operator(terminal))
    .option('--json', 'print a JSON object a line, {event, snapshot}')
    .addHelpText('after', REPLAY_HELP)
    .action(async (options: ReplayOptions) =>
      (await import('./audit-replay.actions.js')).replayUser(terminal, options),
    );
  return allTalkTo(audit, 'databaseAndLog');
}
