import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisServer } from '../../test/support/redis.js';
import { HttpConnection, requestBytes } from '../load/http-connection.js';
import { limitRow, quantile, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchRedis } from '../support/bench-redis.js';
import { untilSo } from '../support/fill-users.js';
import { startService } from '../support/service-process.js';

/** Connections that read at once. */
const CONNECTIONS = 32;
/** Users read first, so that what is measured is not how long a connection takes. */
const WARMING = 200;
/** Milliseconds that a read which Redis answers may take at p99, and statements to the database that a read may cost. */
const HIT_MS = 50;
const STATEMENTS_A_READ = 0.2;

/** An instance just started beside a Redis that another one has filled: how long its first reads of everybody take, and what they cost the database. */
export async function benchSharedCache({
  database,
  effort,
  say,
}: Pick<BenchContext, 'database' | 'effort' | 'say'>): Promise<WorkReport> {
  const redis = await benchRedis();
  const adminKey = randomBytes(32).toString('hex');
  const databaseUrl = await database.create('shared_cache');
  const start = (name: string) =>
    startService({
      databaseUrl,
      secret: `whsec_${randomBytes(24).toString('hex')}`,
      adminKey,
      log: {},
      environment: { REDIS_URL: redis.url },
      logFile: join(tmpdir(), `tenure-bench-${process.pid}-${name}.log`),
    });
  const first = await start('first');
  try {
    const names = await filled(redis, effort.sharedUsers, (all) => readAll(first.port, adminKey, all));
    const second = await start('second');
    try {
      await connected(second.port, adminKey, names.slice(0, WARMING));
      const before = await counted(second.port);
      const times = await readAll(second.port, adminKey, names.slice(WARMING));
      const after = await counted(second.port);
      const p99 = quantile(times, 0.99);
      const found = after.found - before.found;
      const cost = (after.statements - before.statements) / times.length;
      say(`  ${times.length} users: p99 ${p99.toFixed(1)} ms, ${found} answered by Redis`);
      const users = `first read of each of ${names.length} users, Redis filled`;
      return {
        rows: [
          limitRow({ work: `${users}, p99`, ours: p99, against: 'limit', theirs: HIT_MS }),
          {
            work: `${users}, statements a read`,
            ours: cost,
            against: 'limit',
            theirs: STATEMENTS_A_READ,
            unit: '1/read',
            ratio: STATEMENTS_A_READ / Math.max(cost, 0.001),
            least: 1,
            aim: null,
          },
        ],
        notes: [],
      };
    } finally {
      await second.stop();
    }
  } finally {
    await first.stop();
    await redis.kill();
  }
}

/** Reads one after the other until Redis answers one: a service is ready before it is connected. */
async function connected(port: number, key: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await readAll(port, key, [name]);
    if ((await counted(port)).found > 0) return;
  }
  throw new Error('Redis answered none of the first reads');
}

/** The names of users whom Redis knows, nine tenths of them at least: what is in an instance's memory by now is not offered again. */
async function filled(
  redis: RedisServer,
  count: number,
  read: (names: readonly string[]) => Promise<unknown>,
): Promise<readonly string[]> {
  let names: readonly string[] = [];
  let round = 0;
  await untilSo(async () => {
    round += 1;
    names = Array.from({ length: count }, (_, n) => `reader-${round}-${n}`);
    await read(names);
    return (await redis.keys(`*:user:reader-${round}-*`)).length > 0.9 * count;
  });
  return names;
}

/** Reads each once; the milliseconds of each. */
async function readAll(port: number, key: string, names: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  let next = 0;
  const headers = { authorization: `Bearer ${key}` };
  const reader = async (): Promise<void> => {
    const connection = await HttpConnection.open('127.0.0.1', port);
    try {
      for (let name = names[next++]; name !== undefined; name = names[next++]) {
        const began = performance.now();
        const { status } = await connection.send(
          requestBytes('GET', `/v1/users/${name}/entitlements`, headers, ''),
        );
        if (status !== 200) throw new Error(`${name} was answered ${status}`);
        times.push(performance.now() - began);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, reader));
  return times;
}

/** How many snapshots an instance had from Redis, and with how many statements it read others from the database. */
async function counted(port: number): Promise<{ readonly found: number; readonly statements: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const figure = (name: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length + 1));
  };
  return {
    found: figure('tenure_shared_cache_reads_total{outcome="found"}'),
    statements: figure('tenure_shared_cache_statements_total'),
  };
}
