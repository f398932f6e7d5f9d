import { Command, CommanderError } from 'commander';
import { VERSION } from '../observability/version.js';
import { auditCommand } from './audit.command.js';
import { backupCommand, restoreCommand } from './backup.command.js';
import { completionCommand } from './completion.command.js';
import { customersCommand } from './customers.command.js';
import { deadLettersCommand } from './dead-letters.command.js';
import { doctorCommand } from './doctor.command.js';
import { eventsCommand } from './events.command.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.js';
import { grantsCommand } from './grants.command.js';
import { importCommand } from './import.command.js';
import { keysCommand } from './keys.command.js';
import { logCommand } from './log.command.js';
import { overridesCommand } from './overrides.command.js';
import { plansCommand } from './plans.command.js';
import { projectionsCommand } from './projections.command.js';
import { reconcileCommand } from './reconcile.command.js';
import { OutputClosedError, type Terminal } from './terminal.js';
import { tokensCommand } from './tokens.command.js';
import { usersCommand } from './users.command.js';
import { webhooksCommand } from './webhooks.command.js';

const SETTINGS_HELP = `
Settings (environment), as for the service:
  DATABASE_URL    postgres://…; unset: the embedded PostgreSQL under DATA_DIR, of a running service or started for a while
  DATA_DIR        .tenure
  EVENTSTORE_URL  esdb://…; unset: the log is in PostgreSQL
  STREAM_PREFIX   tenure.`;

/**
 * Runs one command of `tenure`; `args` are without the program's name. Never throws: what went wrong is told in one line
 * each, and by the exit code.
 */
export async function runCli(
  args: readonly string[],
  surroundings: Omit<Terminal, 'exitWith'>,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const isOn = surroundings.environment.USER_ID_PSEUDONYMS === 'true';
  const revealed = isOn ? new (await import('./user-ids.js')).RevealedOutput(surroundings) : null;
  const terminal: Terminal = {
    ...surroundings,
    ...(revealed === null ? {} : { out: revealed.out }),
    exitWith: (said) => {
      code = said;
    },
  };
  try {
    await program(terminal)
      .hook('preAction', async (_, command) => {
        const { needsNoDatabase, translateArguments } = await import('./user-ids.js');
        if (needsNoDatabase(command)) revealed?.pass();
        await translateArguments(terminal, command);
      })
      .parseAsync(args, { from: 'user' })
      .finally(() => revealed?.end(terminal));
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has had its say
    if (error instanceof OutputClosedError) return EXIT.done;
    const { explain } = await import('./explain.js');
    return explain(error, terminal);
  }
}

/**
 * Every command there is, over a terminal. Help and completion are made of this alone, so it loads nothing but itself; what
 * a command does is in its `.actions.ts`, loaded when it runs.
 */
export function program(terminal: Terminal): Command {
  const tenure = new Command('tenure')
    .description('What ops do with a Tenure service.')
    .version(VERSION)
    .addHelpText('after', SETTINGS_HELP)
    .addHelpText('after', EXIT_HELP)
    .addCommand(auditCommand(terminal))
    .addCommand(backupCommand(terminal))
    .addCommand(completionCommand(terminal))
    .addCommand(customersCommand(terminal))
    .addCommand(deadLettersCommand(terminal))
    .addCommand(doctorCommand(terminal))
    .addCommand(eventsCommand(terminal))
    .addCommand(grantsCommand(terminal))
    .addCommand(importCommand(terminal))
    .addCommand(keysCommand(terminal))
    .addCommand(logCommand(terminal))
    .addCommand(overridesCommand(terminal))
    .addCommand(plansCommand(terminal))
    .addCommand(projectionsCommand(terminal))
    .addCommand(reconcileCommand(terminal))
    .addCommand(restoreCommand(terminal))
    .addCommand(tokensCommand(terminal))
    .addCommand(usersCommand(terminal))
    .addCommand(webhooksCommand(terminal));
  for (const command of withAllBelow(tenure)) {
    command
      .exitOverride()
      .showHelpAfterError('(--help tells more)')
      .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  }
  return tenure;
}

function withAllBelow(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}
