/** A side of `audit-tree`, a process of its own: reads a log once, by `BENCH_LOG_SIDE`, tells what that took, and ends. */
import { hash } from 'node:crypto';
import pg from 'pg';
import { parseCheckpointText } from '../../src/audit/merkle/checkpoint.js';
import { parseNote } from '../../src/audit/merkle/signed-note.js';
import { readTrees } from '../../src/audit/tree/tree.repository.js';
import { verifyLog } from '../../src/audit/tree/verify-log.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { given } from '../support/rival-server.js';
import { withClient } from '../support/service-log.js';

const PAGE = 1_000;

const url = given('BENCH_LOG_URL');
const side = given('BENCH_LOG_SIDE');
const began = performance.now();
const events = await (side === 'verify' ? verified() : hashed());
const seconds = (performance.now() - began) / 1_000;
process.send?.({ events, seconds, megabytes: process.resourceUsage().maxRSS / 1_024 });
process.disconnect?.();

/** As `tenure audit verify`. */
async function verified(): Promise<number> {
  const pool = new pg.Pool({ connectionString: url });
  const store = new PostgresEventStore(pool, { session: { connectionString: url }, onFault: console.error });
  try {
    const [tree] = await readTrees(pool);
    const checkpoint = parseCheckpointText(parseNote(tree?.checkpoint ?? '').text);
    const checkpoints = [{ from: 'the service', checkpoint }];
    const report = await verifyLog({ store, checkpoints, copy: null, onProgress: () => undefined });
    if (report.brokenCount > 0 || report.checkpoints[0]?.verdict !== 'holds') {
      throw new Error('the log does not hold');
    }
    return report.events;
  } finally {
    await store.close();
    await pool.end();
  }
}

/** Reads every row and hashes what an event's hash covers of it, and does nothing else. */
function hashed(): Promise<number> {
  return withClient(url, async (client) => {
    let count = 0;
    for (let after = '0'; ; ) {
      const { rows } = await client.query<
        Record<'position' | 'stream' | 'type' | 'data' | 'metadata', string>
      >({
        name: 'page',
        text: `select position::text, stream, revision::float8, id, type, data, metadata from tenure_log.event as e
               where e.position > $1 order by e.position limit $2`,
        values: [after, PAGE],
      });
      for (const { stream, type, data, metadata } of rows) hash('sha256', stream + type + data + metadata);
      count += rows.length;
      const last = rows.at(-1);
      if (last === undefined) return count;
      after = last.position;
    }
  });
}
