import type { Command } from 'commander';

const WORDS = {
  nothing: 'nothing: needs no database and no service',
  database:
    'the database of the service (DATABASE_URL, else the embedded one), whether the service runs or not',
  databaseAndLog:
    'the database of the service (DATABASE_URL, else the embedded one) and the log, whether the service runs or not',
  stripe: 'Stripe (STRIPE_SECRET_KEY, STRIPE_API_BASE): needs no database and no service',
  stripeAndLog:
    'Stripe (STRIPE_SECRET_KEY, STRIPE_API_BASE), the database of the service (DATABASE_URL, else the embedded one) and the log, whether the service runs or not',
  bothLogs:
    'the database (DATABASE_URL, else the embedded one) and the event store (EVENTSTORE_URL); no service may append',
} as const;

/** Has the help of a command say what it talks to. */
export function talksTo(command: Command, what: keyof typeof WORDS): Command {
  return command.addHelpText('after', `\nTalks to ${WORDS[what]}.`);
}

/** The same for every command of a group that does not say it yet. */
export function allTalkTo(group: Command, what: keyof typeof WORDS): Command {
  for (const command of group.commands) talksTo(command, what);
  return group;
}
