/**
 * The rival of `ingest`: `@supabase/stripe-sync-engine` behind node:http, as its own documentation shows, with its
 * migrations and a pool of 16. Nothing is configured that would make it call Stripe's API.
 */
import { createRequire } from 'node:module';
import type { StripeSync as StripeSyncType } from '@supabase/stripe-sync-engine';
import { pino } from 'pino';
import { bodyOf, complain, given, serveForBench } from '../support/rival-server.js';

/** Its ES module build looks for the migrations through `__dirname`, which only its CommonJS build has. */
const { StripeSync, runMigrations }: typeof import('@supabase/stripe-sync-engine') = createRequire(
  import.meta.url,
)('@supabase/stripe-sync-engine');

const databaseUrl = given('BENCH_DATABASE_URL');
// It only logs when its migrations fail.
await runMigrations({
  databaseUrl,
  schema: 'stripe',
  logger: pino({ level: 'error' }, { write: (line) => failMigrations(line) }),
});

const sync: StripeSyncType = new StripeSync({
  poolConfig: { connectionString: databaseUrl, max: 16 },
  stripeSecretKey: 'sk_test_never_used',
  stripeWebhookSecret: given('BENCH_SECRET'),
  backfillRelatedEntities: false,
  autoExpandLists: false,
});

function failMigrations(line: string): never {
  throw new Error(`the migrations of the sync engine failed: ${line}`);
}

serveForBench(async (request, response) => {
  try {
    const signature = request.headers['stripe-signature'];
    await sync.processWebhook(await bodyOf(request), Array.isArray(signature) ? undefined : signature);
    const answer = '{"received":true}';
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
      .end(answer);
  } catch (error) {
    complain(`sync engine: ${error}`);
    response.writeHead(500, { 'content-length': 0 }).end();
  }
});
