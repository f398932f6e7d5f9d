import pg from 'pg';
import { HttpConnection, requestBytes } from '../load/http-connection.js';
import { limitRow, type Note, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';

/** Users asked for, each once by each kind of question, so that no snapshot comes from memory. */
const ASKED = 1_000;
/** Questions before those that are measured. */
const WARM_UP = 200;
/** Milliseconds after the beginning of the lives that is asked about: between the third event of each and the fourth. */
const AFTER_MS = 150_000;

/** Milliseconds of a question as of a moment, on a long log, beside the current snapshot read from the database. */
export async function benchAsOf({ effort, longLogs, say }: BenchContext): Promise<WorkReport> {
  const events = Number(process.env.AS_OF_EVENTS ?? effort.asOfEvents);
  const { port, headers, databaseUrl, users, began: lives } = await longLogs.of(events);
  const then = new Date(lives + AFTER_MS).toISOString();
  const connection = await HttpConnection.open('127.0.0.1', port);
  const ask = async (userId: string, query: string): Promise<string> => {
    const { status, body } = await connection.send(
      requestBytes('GET', `/v1/users/${userId}/entitlements${query}`, headers, ''),
    );
    if (status !== 200) throw new Error(`${userId}${query} was answered ${status}: ${body}`);
    return body;
  };
  const queries = { now: '', at: `?at=${then}`, knownAt: `?knownAt=${then}` };
  const took = { now: [] as number[], at: [] as number[], knownAt: [] as number[] };
  const step = Math.max(1, Math.floor(users / (ASKED + WARM_UP)));
  for (let n = 0; n < ASKED + WARM_UP; n += 1) {
    for (const kind of ['now', 'at', 'knownAt'] as const) {
      const began = performance.now();
      await ask(`u${(n * step) % users}`, queries[kind]);
      if (n >= WARM_UP) took[kind].push(performance.now() - began);
    }
  }
  connection.close();
  const now = p95(took.now);
  const row = (work: string, ours: number) =>
    limitRow({ work, ours, against: 'twice the current snapshot from the database', theirs: 2 * now });
  say(`  ${events} events, p95: now ${now.toFixed(2)} ms, then ${p95(took.at).toFixed(2)} ms`);
  return {
    rows: [
      row('GET entitlements?at=, p95', p95(took.at)),
      row('GET entitlements?knownAt=, p95', p95(took.knownAt)),
    ],
    notes: [
      { what: 'as-of: events in the log, of users', value: `${events}, ${users}` },
      { what: 'as-of: current snapshot from the database, p95', value: `${now.toFixed(2)} ms` },
      ...(await bytesKept(databaseUrl, events)),
    ],
  };
}

/** Bytes for each event of the log, indices included, of what is kept for these questions. */
async function bytesKept(databaseUrl: string, events: number): Promise<readonly Note[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      `select regexp_replace(relname, '_g[0-9]+$', '') as name, sum(pg_total_relation_size(oid))::text as bytes
       from pg_class where relnamespace = 'tenure'::regnamespace and relkind = 'r'
         and relname ~ '^(user_stream|subscription_customer|logical_time|served_|user_role|entitlement_history)'
       group by 1 order by 1`,
    );
    return rows.map(({ name, bytes }) => ({
      what: `as-of: bytes of ${name} for each event`,
      value: (Number(bytes) / events).toFixed(1),
    }));
  } finally {
    await client.end();
  }
}

function p95(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
}
