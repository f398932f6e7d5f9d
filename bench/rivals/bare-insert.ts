/**
 * The floor of `ingest`: the least that can be called a durable webhook receiver. Checks Stripe's signature, takes the
 * event's id, and commits the body as one row before it answers. It decides nothing, folds nothing, orders nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import pg from 'pg';
import { bodyOf, complain, given, serveForBench } from '../support/rival-server.js';

const TOLERANCE_SECONDS = 300;
const secret = given('BENCH_SECRET');
const pool = new pg.Pool({ connectionString: given('BENCH_DATABASE_URL'), max: 16 });
await pool.query(
  'create table if not exists bare_event (id text primary key, type text not null, body text not null)',
);

function isSigned(body: string, header: string | undefined): boolean {
  const [, second, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (second === undefined || signature === undefined) return false;
  if (Math.abs(Date.now() / 1000 - Number(second)) > TOLERANCE_SECONDS) return false;
  const expected = createHmac('sha256', secret).update(`${second}.${body}`).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

async function receive(body: string): Promise<void> {
  const event: { id: string; type: string } = JSON.parse(body);
  await pool.query({
    name: 'insert',
    text: 'insert into bare_event (id, type, body) values ($1, $2, $3) on conflict do nothing',
    values: [event.id, event.type, body],
  });
}

serveForBench(async (request, response) => {
  try {
    const body = await bodyOf(request);
    const header = request.headers['stripe-signature'];
    if (!isSigned(body, Array.isArray(header) ? undefined : header)) {
      response.writeHead(400, { 'content-length': 0 }).end();
      return;
    }
    await receive(body);
    const answer = '{"received":true}';
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
      .end(answer);
  } catch (error) {
    complain(`bare insert: ${error}`);
    response.writeHead(500, { 'content-length': 0 }).end();
  }
});
