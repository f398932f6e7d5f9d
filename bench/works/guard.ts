import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { importJWK, type JWK, jwtVerify } from 'jose';
import pg from 'pg';
import { z } from 'zod';
import { createGuard } from '../../packages/client/src/server/index.js';
import { FakeTenure, ISSUER, KEY } from '../../packages/client/test/fake-tenure.js';
import { buyer } from '../../test/support/buyer.js';
import { signedHeaders } from '../../test/support/stripe-events.js';
import { limitRow, median, type Row, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { startService } from '../support/service-process.js';

/** Tokens of a pass, and passes by turns; those of the warm-up are not counted. */
const TOKENS = 2_000;
const PASSES = 9;
const WARM_UP = 2;
const CACHED_LIMIT_US = 10;
/** Users in the feed that a guard begins with. */
const FEED_USERS = 100_000;
const COLD_LIMIT_MS = 5_000;
const RUNS = 200;
const REVOKED_LIMIT_MS = 200;
const REFUSED_WITHIN_MS = 30_000;

const keysSchema = z.object({ keys: z.tuple([z.looseObject({ kid: z.string() })]) });
const issuedSchema = z.object({ token: z.string() });

/**
 * What a guard costs: a token that it sees first beside `jose.jwtVerify`, one that it has seen, its start with a long feed, and
 * how long a cancellation takes from the webhook at one instance until a guard at another one refuses.
 */
export async function benchGuard(context: BenchContext): Promise<WorkReport> {
  const rows = [...(await checkRows())];
  const cold = await coldStartMs(context);
  rows.push(
    limitRow({
      work: `guard: start with ${FEED_USERS} users in the feed`,
      ours: cold,
      against: 'the limit',
      theirs: COLD_LIMIT_MS,
    }),
  );
  const waited = await revocationsMs(context);
  const [p50, p99] = [percentile(waited, 0.5), percentile(waited, 0.99)];
  rows.push(
    limitRow({
      work: 'cancellation webhook → guard refuses, p99',
      ours: p99,
      against: 'the limit',
      theirs: REVOKED_LIMIT_MS,
    }),
  );
  const value = `${RUNS} runs, two instances: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${Math.max(...waited).toFixed(1)} ms`;
  return { rows, notes: [{ what: 'guard: revocation', value }] };
}

async function checkRows(): Promise<readonly Row[]> {
  const tenure = await FakeTenure.start();
  // A guard that keeps one token has forgotten each when its turn comes again.
  const forgetful = createGuard({ url: tenure.url, key: KEY, issuer: ISSUER, keptTokens: 1 });
  const guard = createGuard({ url: tenure.url, key: KEY, issuer: ISSUER });
  try {
    const tokens = await Promise.all(
      Array.from({ length: TOKENS }, (_, n) => tenure.token(Date.now(), { sub: `u${n}` })),
    );
    const { keys } = keysSchema.parse(await (await fetch(`${tenure.url}/.well-known/jwks.json`)).json());
    const key = await importJWK(keys[0] as JWK, 'EdDSA');
    const byJose = (token: string) => jwtVerify(token, key, { issuer: ISSUER, typ: 'entitlements+jwt' });
    await Promise.all([forgetful.ready(), guard.ready()]);
    const passes: { ours: number; theirs: number; cached: number }[] = [];
    for (let pass = 0; pass < WARM_UP + PASSES; pass += 1) {
      const check = (token: string) => forgetful.check(token);
      const ours = await costUs(tokens, check);
      const theirs = await costUs(tokens, byJose);
      passes.push({ ours, theirs, cached: await costUs(tokens, (token) => guard.check(token)) });
    }
    const counted = passes.slice(WARM_UP);
    const cached = median(counted.map((pass) => pass.cached));
    return [
      {
        work: 'guard: a token seen first',
        ours: median(counted.map((pass) => pass.ours)),
        against: 'jose.jwtVerify',
        theirs: median(counted.map((pass) => pass.theirs)),
        unit: 'µs',
        ratio: median(counted.map((pass) => pass.theirs / pass.ours)),
        least: 0.83, // 1.2 times as much
        aim: null,
      },
      {
        work: 'guard: a token seen before',
        ours: cached,
        against: 'the limit',
        theirs: CACHED_LIMIT_US,
        unit: 'µs',
        ratio: CACHED_LIMIT_US / cached,
        least: 1,
        aim: null,
      },
    ];
  } finally {
    forgetful.close();
    guard.close();
    await tenure.close();
  }
}

/** Microseconds that each token takes, one after the other. */
async function costUs(
  tokens: readonly string[],
  check: (token: string) => Promise<unknown>,
): Promise<number> {
  const began = performance.now();
  for (const token of tokens) await check(token);
  return ((performance.now() - began) * 1_000) / tokens.length;
}

/** Until a guard has read keys and feed of the running service: the middle of three. */
async function coldStartMs({ service, serviceDatabaseUrl, adminKey }: BenchContext): Promise<number> {
  const client = new pg.Client({ connectionString: serviceDatabaseUrl });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into tenure.revocation_feed (cursor, user_id, version, raised_at)
       select h.cursor + n, 'feed-' || n, 1, now()
       from tenure.revocation_feed_head h, generate_series(1, $1::int) n`,
      [FEED_USERS],
    );
    await client.query('update tenure.revocation_feed_head set cursor = cursor + $1::int', [FEED_USERS]);
    await client.query('commit');
  } finally {
    await client.end();
  }
  const times: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const guard = createGuard({
      url: `http://127.0.0.1:${service.port}`,
      key: adminKey,
      follow: 'checks',
    });
    const began = performance.now();
    await guard.ready();
    times.push(performance.now() - began);
    guard.close();
  }
  return median(times);
}

/** Milliseconds from sending each cancellation to one instance until a guard that follows another one refuses. */
async function revocationsMs(context: BenchContext): Promise<readonly number[]> {
  const { service, serviceDatabaseUrl, secret, adminKey } = context;
  const logFile = '/dev/null';
  const second = await startService({ databaseUrl: serviceDatabaseUrl, secret, adminKey, log: {}, logFile });
  const guard = createGuard({ url: `http://127.0.0.1:${second.port}`, key: adminKey });
  const url = `http://127.0.0.1:${service.port}`;
  const authorization = `Bearer ${adminKey}`;
  const deliver = async (body: string): Promise<void> => {
    const answer = await fetch(`${url}/webhooks/stripe`, {
      method: 'POST',
      headers: signedHeaders(body, secret),
      body,
    });
    if (!answer.ok) throw new Error(`a webhook was answered by ${answer.status}`);
    await answer.arrayBuffer();
  };
  try {
    await guard.ready();
    const waited: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const userId = `revoked-${run}`;
      const subscription = buyer(userId);
      await deliver(subscription.started('active').body);
      const token = await paidToken(url, userId, authorization);
      if (!(await guard.decide(token, { role: 'paid' })).allowed) throw new Error('a token does not hold');
      const { body } = subscription.ends();
      const began = performance.now();
      const delivered = deliver(body);
      await refused(async () => !(await guard.check(token)).valid);
      waited.push(performance.now() - began);
      await delivered;
    }
    return waited;
  } finally {
    guard.close();
    await second.stop();
  }
}

/** A token once the purchase shows in it. */
async function paidToken(url: string, userId: string, authorization: string): Promise<string> {
  const deadline = performance.now() + REFUSED_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`${url}/v1/users/${userId}/token`, {
      method: 'POST',
      headers: { authorization },
    });
    const { token } = issuedSchema.parse(await answer.json());
    const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    if (claims.includes('"role":"paid"')) return token;
  }
  throw new Error(`${userId} never paid`);
}

async function refused(isRefused: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + REFUSED_WITHIN_MS;
  while (!(await isRefused())) {
    if (performance.now() > deadline) throw new Error(`not refused within ${REFUSED_WITHIN_MS} ms`);
    await turn();
  }
}

function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const figure = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (figure === undefined) throw new Error('no figures');
  return figure;
}
