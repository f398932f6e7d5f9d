import { isNativeError } from 'node:util/types';
import { Command, CommanderError } from 'commander';
import { InvalidConnectionStringError } from '../config/connection-string.js';
import { InvalidSettingsError } from '../config/settings.js';
import { DatabaseError } from '../database/errors.js';
import { LogCopyError } from '../event-store/copy-log.js';
import { EventStoreError } from '../event-store/errors.js';
import { OtherLogError } from '../event-store/log-identity.js';
import { VERSION } from '../observability/version.js';
import { completionCommand } from './completion.command.js';
import { customersCommand } from './customers.command.js';
import { eventsCommand } from './events.command.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.js';
import { keysCommand } from './keys.command.js';
import { logCommand } from './log.command.js';
import { plansCommand } from './plans.command.js';
import { projectionsCommand } from './projections.command.js';
import type { Terminal } from './terminal.js';

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
  const terminal: Terminal = {
    ...surroundings,
    exitWith: (said) => {
      code = said;
    },
  };
  try {
    await program(terminal).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

/** Every command there is, over a terminal. */
export function program(terminal: Terminal): Command {
  const tenure = new Command('tenure')
    .description('What ops do with a Tenure service.')
    .version(VERSION)
    .addHelpText('after', SETTINGS_HELP)
    .addHelpText('after', EXIT_HELP)
    .addCommand(completionCommand(terminal))
    .addCommand(customersCommand(terminal))
    .addCommand(eventsCommand(terminal))
    .addCommand(keysCommand(terminal))
    .addCommand(logCommand(terminal))
    .addCommand(plansCommand(terminal))
    .addCommand(projectionsCommand(terminal));
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

function explain(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has had its say
  const say = (lines: readonly string[]): void => {
    for (const line of lines) terminal.err(`tenure: ${line}\n`);
  };
  if (error instanceof InvalidSettingsError) {
    say(error.lines);
    return EXIT.config;
  }
  if (error instanceof InvalidConnectionStringError || error instanceof OtherLogError) {
    say([error.message]);
    return EXIT.config;
  }
  if (error instanceof LogCopyError) {
    say([error.message]);
    return EXIT.no;
  }
  if (error instanceof DatabaseError || error instanceof EventStoreError) {
    say([error.message]);
    return EXIT.unavailable;
  }
  if (!isNativeError(error)) {
    say([String(error)]);
    return EXIT.software;
  }
  // The driver and the system give a code of their own (SQLSTATE, E…); where several addresses failed there is no message.
  const code = 'code' in error ? String(error.code) : '';
  if (/^(?:[0-9A-Z]{5}|E[A-Z]+)$/.test(code)) {
    say([error.message || code]);
    return EXIT.unavailable;
  }
  say([error.stack ?? error.message]);
  return EXIT.software;
}
