import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LoadGenerator } from '../load/generator-process.js';
import type { Result } from '../load/protocol.js';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { untilProjected } from '../support/catch-up.js';
import { describeRuns, perSecond, rates } from '../support/closed-side.js';
import { lastPosition, withClient } from '../support/service-log.js';
import { startService } from '../support/service-process.js';
import { look, makeUsers } from './query.js';

const CONNECTIONS = 16;
const TAG = 'follower';
const WEBHOOKS_PER_SECOND = 300;
const WEBHOOK_CONNECTIONS = 32;
/** Webhooks come for so long before the reads and after them, in seconds. */
const AROUND_SECONDS = 1;
/** PostgreSQL's sessions tell what they scanned once a second. */
const STATISTICS_MS = 1_500;

const NAMES = ['leader', 'follower'] as const;
type Name = (typeof NAMES)[number];

/**
 * Reads per second of 500 users' entitlements, on the instance that folds the log and on one that follows it, while other users
 * pay, 300 webhooks a second by the clock. The webhooks go to the instance that is not read, so that each reads beside nothing
 * but its own part in the fold. Users who are read do not change: how often the table of what is served is looked into, with reads
 * and without, says whether commits about others drop them.
 */
export async function benchFollower(context: BenchContext): Promise<WorkReport> {
  const { database, secret, adminKey, effort, say } = context;
  const databaseUrl = await database.create('follower');
  const logFile = join(tmpdir(), `tenure-bench-${process.pid}-follower.log`);
  const settings = { databaseUrl, secret, adminKey, log: {}, logFile };
  const webhooks = new LoadGenerator();
  const leader = await startService(settings);
  const follower = await startService(settings);
  try {
    const ports = { leader: leader.port, follower: follower.port };
    const paths = await makeUsers({ ...context, service: leader, serviceDatabaseUrl: databaseUrl }, TAG);
    const [first = ''] = paths;
    await look({ ...context, service: follower }, first);
    const pay = (name: Name, round: string, seconds: number): Promise<Result> =>
      webhooks.run({
        kind: 'freshness',
        port: ports[name === 'leader' ? 'follower' : 'leader'],
        rate: WEBHOOKS_PER_SECOND,
        seconds: seconds + 2 * AROUND_SECONDS,
        connections: WEBHOOK_CONNECTIONS,
        tag: `${TAG}${name}${round}x`,
        secret,
        adminKey,
      });
    const run = async (name: Name, round: string, seconds: number): Promise<Result> => {
      const paying = pay(name, round, seconds);
      await pause(AROUND_SECONDS * 1_000);
      const reads = await context.generator.run({
        kind: 'reads',
        port: ports[name],
        connections: CONNECTIONS,
        seconds,
        paths,
        headers: { authorization: `Bearer ${adminKey}` },
        etags: [],
        expectedStatus: 200,
      });
      await paying;
      await untilProjected(follower.port, adminKey, await lastPosition(databaseUrl));
      return reads;
    };
    const results: Record<Name, Result[]> = { leader: [], follower: [] };
    for (const name of NAMES) await run(name, 'warm', effort.warmUpSeconds / 2);
    for (let round = 0; round < effort.rounds; round += 1) {
      for (const name of NAMES) results[name].push(await run(name, String(round), effort.querySeconds));
      say(
        `  follower, round ${round + 1}: ${NAMES.map((name) => `${name} ${rates(results[name].slice(-1))}/s`).join(', ')}`,
      );
    }
    const alone = await looksDuring(databaseUrl, () => pay('follower', 'alone', effort.querySeconds));
    const reading = await looksDuring(databaseUrl, () => run('follower', 'looks', effort.querySeconds));
    return {
      rows: [
        throughputRow({
          work: `GET entitlements on a follower, ${WEBHOOKS_PER_SECOND} webhooks a second`,
          ours: median(results.follower.map(perSecond)),
          against: 'the leader',
          theirs: median(results.leader.map(perSecond)),
          least: 0.8,
          aim: 1,
        }),
      ],
      notes: [
        ...NAMES.map((name) => ({
          what: `follower: reads of the ${name}`,
          value: describeRuns(results[name]),
        })),
        {
          what: 'follower: looks into the table of what is served, without reads and with them',
          value: `${alone.looks}, and ${reading.looks} with ${reading.done.done} reads on the follower`,
        },
      ],
    };
  } finally {
    await follower.stop();
    await leader.stop();
    await webhooks.stop();
  }
}

/** How many users were looked for in the table of what is served while something went on, by whomever. */
async function looksDuring<T>(
  databaseUrl: string,
  work: () => Promise<T>,
): Promise<{ readonly looks: number; readonly done: T }> {
  const looks = async (): Promise<number> => {
    await pause(STATISTICS_MS);
    const { rows } = await withClient(databaseUrl, (client) =>
      client.query<{ looks: number }>(
        `select coalesce(sum(idx_scan), 0)::float8 as looks from pg_stat_user_tables
         where schemaname = 'tenure' and relname like 'user_role%'`,
      ),
    );
    return rows[0]?.looks ?? 0;
  };
  const before = await looks();
  const done = await work();
  return { looks: (await looks()) - before, done };
}
