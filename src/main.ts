#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { createTenure, type Tenure } from './bootstrap.js';
import { copyEvents } from './cli/events-copy.js';
import { InvalidSettingsError, loadSettings } from './config/settings.js';
import { DatabaseError } from './database/errors.js';
import { InvalidConnectionStringError } from './event-store/eventstoredb/connection-string.js';
import { OtherLogError } from './event-store/log-identity.js';
import { InvalidPlanFileError } from './plans/plan-file.js';

/** sysexits.h: something is wrong with the configuration. */
const EX_CONFIG = 78;
/** sysexits.h: a service that is needed is not there. */
const EX_UNAVAILABLE = 69;

const SETTINGS_HELP = `
Settings (environment):
  STRIPE_WEBHOOK_SECRET  required: signing secret of the webhook endpoint; several, comma-separated
  STRIPE_LIVEMODE        required unless STRIPE_SECRET_KEY tells: true or false
  STRIPE_SECRET_KEY      asks Stripe where its events leave a doubt; unset: nothing is asked
  STRIPE_API_BASE        another address of Stripe's API, such as a simulator's
  TENURE_ADMIN_KEY       required: key of the API, at least 32 characters
  PORT, HOST             3000, 127.0.0.1
  DATABASE_URL           postgres://…; unset: an embedded PostgreSQL under DATA_DIR
  DATA_DIR               .tenure
  EVENTSTORE_URL         esdb://…, esdb+discover://…: the log is kept there; unset: in PostgreSQL
  STREAM_PREFIX          tenure.
  PLANS_FILE             plans.yaml
  USER_ID_METADATA_KEY   user_id
  LOG_LEVEL              info`;

/** One line each on stderr, no stack trace: these are for whoever starts the service. */
function refuse(lines: readonly string[], code: number): never {
  for (const line of lines) process.stderr.write(`tenure: ${line}\n`);
  process.exit(code);
}

async function serve(): Promise<void> {
  let tenure: Tenure;
  try {
    tenure = await createTenure(loadSettings(process.env), {
      onProgress: (message) => process.stderr.write(`tenure: ${message}\n`),
      onFatal: (error) => refuse([error.message], EX_UNAVAILABLE),
    });
  } catch (error) {
    if (error instanceof InvalidSettingsError || error instanceof InvalidPlanFileError)
      refuse(error.lines, EX_CONFIG);
    if (error instanceof InvalidConnectionStringError || error instanceof OtherLogError)
      refuse([error.message], EX_CONFIG);
    if (error instanceof DatabaseError) refuse([error.message], EX_UNAVAILABLE);
    if (error instanceof Error && 'code' in error) {
      refuse([`cannot start: ${error.message || String(error.code)}`], EX_UNAVAILABLE);
    }
    throw error;
  }
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    tenure.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`tenure: did not stop cleanly: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** A setting the command cannot do without. */
function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') refuse([`${name} is missing`], EX_CONFIG);
  return value;
}

async function copy(): Promise<void> {
  try {
    await copyEvents({
      databaseUrl: required('DATABASE_URL'),
      eventStoreUrl: required('EVENTSTORE_URL'),
      prefix: process.env.STREAM_PREFIX || 'tenure.',
      say: (line) => process.stdout.write(`tenure: ${line}\n`),
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error) refuse([`cannot copy: ${error.message}`], EX_UNAVAILABLE);
    throw error;
  }
}

const program = new Command('tenure')
  .description('Starts the Tenure service: signed Stripe webhooks in, provable access out.')
  .version('0.1.0')
  .addHelpText('after', SETTINGS_HELP)
  .action(serve);
program
  .command('events')
  .description('the log')
  .command('copy')
  .description(
    'copies the log of DATABASE_URL to EVENTSTORE_URL and checks it; may be broken off and run again',
  )
  .action(copy);
await program.parseAsync();
