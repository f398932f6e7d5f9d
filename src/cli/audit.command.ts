import { Command } from 'commander';
import { actorOf, gathered, timeOf, userOf } from './arguments.js';
import type { AuditExportOptions } from './audit-export.actions.js';
import type { AuditKeyOptions } from './audit-key.actions.js';
import type { ReplayOptions } from './audit-replay.actions.js';
import type { AuditVerifyOptions } from './audit-verify.actions.js';
import type { VerifyExportOptions } from './audit-verify-export.actions.js';
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

const EXPORT_HELP = `
The folder gets export.ndjson (events with proofs, snapshots by both clocks with reasons, keys, the signed checkpoint; signed
itself), which verify-export checks; summary.html for people; and checkpoint, verifier-keys and proofs/, which other tools for
C2SP's forms read. First the look is recorded, and a checkpoint signed of all that the log has: TENURE_ADMIN_KEY opens the key.
Ends with 1 where nothing is known of the user, the folder is not empty, or the kept checkpoint is not one of this log.`;

const VERIFY_EXPORT_HELP = `
Needs no database, no service and no setting; dist/verify-export.mjs is the same in one file, for Node alone. Ends with 0 where
the export holds and 1 where it does not: the line says why. Without --key it is held against the keys that it names itself.`;

/** \`tenure audit …\`. */
export function auditCommand(terminal: Terminal): Command {
  const audit = new Command('audit').description(
    'What auditors read, each look recorded; and what proves the log.',
  );
  const replay = audit
    .command('replay')
    .description('Tells the life of a user step by step.')
    .requiredOption('--user <user>', 'your own id of the user', userOf)
    .option('--until <time>', 'only what was recorded by then, RFC 3339', timeOf)
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
  const exports = audit
    .command('export')
    .description(
      'Writes all that the history of a user rests on, with proofs, for whoever checks it elsewhere.',
    )
    .requiredOption('--user <user>', 'your own id of the user', userOf)
    .requiredOption('--out <folder>', 'where to; it is made, or empty')
    .option(
      '--against <checkpoint>',
      'a file with a checkpoint that was kept, to prove that the log goes on from it',
    )
    .option('--actor <name>', 'who looks', actorOf, operator(terminal))
    .addHelpText('after', EXPORT_HELP)
    .action(async (options: AuditExportOptions) =>
      (await import('./audit-export.actions.js')).exportAudit(terminal, options),
    );
  const verifyExport = audit
    .command('verify-export')
    .description('Checks an export by itself.')
    .argument('<file>', 'its export.ndjson')
    .option(
      '--key <verifier-key>',
      'a key that you were given, of the log or a witness; may be repeated',
      gathered,
    )
    .option('--against <checkpoint>', 'a file with a checkpoint that you kept')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', VERIFY_EXPORT_HELP)
    .action(async (file: string, options: VerifyExportOptions) =>
      (await import('./audit-verify-export.actions.js')).verifyExport(terminal, file, options),
    );
  talksTo(exports, 'databaseAndLog');
  talksTo(verifyExport, 'nothing');
  talksTo(verify, 'databaseAndLog');
  talksTo(replay, 'databaseAndLog');
  talksTo(key, 'database');
  return audit;
}
