#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import type { Tenure } from './bootstrap.js';
import { InvalidConnectionStringError } from './config/connection-string.js';
import { InvalidSettingsError, loadSettings } from './config/settings.js';
import { DatabaseError, TransactionPoolerError } from './database/errors.js';
import { OtherLogError, UnfinishedRestoreError } from './event-store/log-identity.js';
import { VERSION } from './observability/version.js';
import { InvalidPlanFileError, loadPlanFile, UnreadablePlanFileError } from './plans/plan-file.js';
import {
  PseudonymKeyUnreadableError,
  PseudonymsFixedError,
  PseudonymsMissingError,
} from './pseudonyms/errors.js';
import { InvalidTemplatesError } from './reactions/mail/templates.js';
import { limitHeapGrowth } from './start/heap-growth.js';
import { StartStoppedError } from './start/stop-order.js';

/** sysexits.h: something is wrong with the configuration. */
const EX_CONFIG = 78;
/** sysexits.h: a service that is needed is not there. */
const EX_UNAVAILABLE = 69;

const SETTINGS_HELP = `
Settings (environment):
  STRIPE_WEBHOOK_SECRET  required: signing secret of the webhook endpoint; several, comma-separated
  STRIPE_LIVEMODE        required unless STRIPE_SECRET_KEY tells: true or false
  STRIPE_SECRET_KEY      asks Stripe where its events leave a doubt, and for what thin events stand for; unset: nothing is asked
  STRIPE_API_BASE        another address of Stripe's API, such as a simulator's
  STRIPE_REQUESTS_PER_SECOND  25: requests to one endpoint of Stripe's API
  RECONCILE_EVERY_HOURS  24: with STRIPE_SECRET_KEY, records what Stripe has and the log lacks; 0: only when asked
  TENURE_ADMIN_KEY       required: key of the API, at least 32 characters by chance (openssl rand -hex 32); several, comma-separated: the first seals
  AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE  all three: tokens of end users by your identity provider count; unset: none
  AUTH_USER_CLAIM        sub: the claim of such a token that is the user id
  TOKEN_ISSUER           tenure: what entitlement tokens say made them
  TOKEN_ALGORITHM        EdDSA; ES256: how they are signed
  TOKEN_SECONDS          300: so long they hold at most, 1 to 3600
  CORS_ORIGINS           https://app.example.com,…: origins whose browsers may call; unset: none
  CHECKOUT_URL_ORIGINS   https://app.example.com,…: where a checkout or the portal may lead back to; unset: nothing is bought
  SMTP_URL, MAIL_FROM    smtp(s)://… and an address: e-mails to users go out by it; unset: none do
  MAIL_TEMPLATES         a folder of their templates; unset: those that are shipped
  WEBHOOKS_ALLOW_PRIVATE  false; true: outgoing webhooks may go to private addresses, and by http:
  PORT, HOST             3000, 127.0.0.1
  DATABASE_URL           postgres://…; unset: an embedded PostgreSQL under DATA_DIR
  REDIS_URL              redis://…: instances share snapshots there; unset: each keeps its own
  DATA_DIR               .tenure
  EVENTSTORE_URL         esdb://…, esdb+discover://…: the log is kept there; unset: in PostgreSQL
  STREAM_PREFIX          tenure.
  PLANS_FILE             plans.yaml
  USER_ID_METADATA_KEY   user_id
  USER_ID_PATTERN        a regular expression that a user id must match as a whole; unset: anything valid
  USER_ID_PSEUDONYMS     false; true: log and read models hold pseudonyms, so that a user can be erased; fixed for good
  USER_ID_EMAIL          warn; refuse, allow: what is done about user ids that look like an address of an e-mail
  STRIPE_ACCOUNT         acct_…: the account whose events count besides those that name none
  LOG_LEVEL              info
  READY_LAG_SECONDS      10: /health/ready says projection_behind when the projection is behind for longer
  REBUILD_THREADS        cores less one, 4 at most: threads that fold a build of many events, 1 to 16
  FAULT_LIMIT            20: more streams or users newly set aside within 10,000 events stop the projection
  STREAMS_MAX, STREAMS_PER_USER  5000, 20: streams and waits that an instance holds open, in all and of one user
  AUDIT_ORIGIN           example.com/audit/log: name of the log in its checkpoints, fixed with the first; unset: one by chance
  AUDIT_EVERY_SECONDS    60: seconds between two checkpoints
  AUDIT_MIRROR           a folder, or an http(s) URL that takes PUT: checkpoints and tiles are copied there; unset: nowhere
  AUDIT_WITNESSES        a verifier key, a space and an address,…: they are asked to sign each checkpoint; unset: nobody
  OTEL_EXPORTER_OTLP_ENDPOINT  http(s)://…: traces go there by OTLP over HTTP; unset: nothing is traced
  OTEL_TRACES_SAMPLER_ARG  1: which part of them, 0 to 1
  WEBHOOK_SILENCE_MINUTES  /health/ready says webhooks_silent when Stripe delivers nothing for longer; unset: never`;

/** One line each on stderr, no stack trace: these are for whoever starts the service. */
function refuse(lines: readonly string[], code: number): never {
  for (const line of lines) process.stderr.write(`tenure: ${line}\n`);
  process.exit(code);
}

/** Longer than any stop may take: whatever hangs then, the process ends. */
const STOP_WITHIN_MS = 20_000;

/** Ends the process as it was asked to; what had to be abandoned is said, and the exit code 1. */
function ended(abandoned: readonly string[]): never {
  if (abandoned.length === 0) process.exit(0);
  process.stderr.write(`tenure: stopped without waiting any longer for: ${abandoned.join(', ')}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  limitHeapGrowth();
  const stopping = new AbortController();
  let tenure: Tenure | null = null;
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => ended(['everything']), STOP_WITHIN_MS).unref();
    tenure?.close().then(ended, (error: unknown) => ended([String(error)]));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    const settings = loadSettings(process.env);
    // The service itself takes a while to load: what the settings or the plan file lack is told before.
    await loadPlanFile(settings.plansFile);
    const { createTenure } = await import('./bootstrap.js');
    tenure = await createTenure(settings, {
      onProgress: (message) => process.stderr.write(`tenure: ${message}\n`),
      onFatal: (error) => refuse([error.message], EX_UNAVAILABLE),
      signal: stopping.signal,
    });
    if (stopping.signal.aborted) ended(await tenure.close()); // told so at the very last step
  } catch (error) {
    if (error instanceof StartStoppedError) ended(error.abandoned);
    if (error instanceof UnreadablePlanFileError)
      refuse(
        error.lines.map((line) => `${line}; PLANS_FILE names the plan catalogue`),
        EX_CONFIG,
      );
    if (
      error instanceof InvalidSettingsError ||
      error instanceof InvalidPlanFileError ||
      error instanceof InvalidTemplatesError
    )
      refuse(error.lines, EX_CONFIG);
    if (
      error instanceof InvalidConnectionStringError ||
      error instanceof OtherLogError ||
      error instanceof UnfinishedRestoreError ||
      error instanceof TransactionPoolerError ||
      error instanceof PseudonymsFixedError ||
      error instanceof PseudonymsMissingError ||
      error instanceof PseudonymKeyUnreadableError
    )
      refuse([error.message], EX_CONFIG);
    if (error instanceof DatabaseError) refuse([error.message], EX_UNAVAILABLE);
    if (error instanceof Error && 'code' in error) {
      refuse([`cannot start: ${error.message || String(error.code)}`], EX_UNAVAILABLE);
    }
    throw error;
  }
}

await new Command('tenure')
  .description('Starts the Tenure service: signed Stripe webhooks in, provable access out.')
  .version(VERSION)
  .addHelpText('after', SETTINGS_HELP)
  .action(serve)
  .parseAsync();
