import { Command } from 'commander';
import { actorOf, momentOf, userOf } from './arguments.js';
import type { AuditKeyOptions } from './audit-key.actions.js';
import type { ReplayOptions } from './audit-replay.actions.js';
import type { AuditVerifyOptions } from './audit-verify.actions.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const REPLAY_HELP = `
Each step is an event of the user's streams, or the clock, what Stripe or an operator said, and, where it changed, what the
user could do from then on and the rule that decided. Who looks is recorded before anything is shown: AuditAccessed, once an
hour for a user.`;

const KEY_HELP = `
Two lines a key, for whoever checks: as the log, and as a cosigner who says the time (C2SP signed-note, tlog-cosignature).
After --rotate the key before signs beside the new one for 30 days; what a retired key signed still holds.`;

const VERIFY_HELP = `
Reads the whole log once. Against a checkpoint in a file it finds every change to what that covers; against a mirror (a folder, or
an address) it tells the first event that is another one, missing, added or moved, too. Ends with 1 where anything is wrong.`;

/** `tenure audit …`. */
export function auditCommand(terminal: Terminal): Command {
  const audit = new Command('audit').description(
    'What auditors read, each look recorded; and what proves the log.',
  );
  const replay = audit
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
  const key = audit
    .command('key')
    .description('Shows the keys that checkpoints of the log are signed with, the newest first.')
    .option('--rotate', 'first make a new key, sealed by TENURE_ADMIN_KEY')
    .option('--json', 'print an array of {id, state, createdAt, signsUntil, verifierKeys} as JSON')
    .addHelpText('after', KEY_HELP)
    .action(async (options: AuditKeyOptions) =>
      (await import('./audit-key.actions.js')).auditKeys(terminal, options),
    );
  const verify = audit
    .command('verify')
    .description('Holds the log against its own chains, and against checkpoints of it.')
    .option(
      '--against <place>',
      'a checkpoint that you kept, or a mirror: a file, a folder or an http(s) address',
    )
    .option('--key <verifier-key...>', 'keys that you were given (left out: those of the database)')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', VERIFY_HELP)
    .action(async (options: AuditVerifyOptions) =>
      (await import('./audit-verify.actions.js')).verifyAuditLog(terminal, options),
    );
  talksTo(verify, 'databaseAndLog');
  talksTo(replay, 'databaseAndLog');
  talksTo(key, 'database');
  return audit;
}
