import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LoadGenerator } from '../load/generator-process.js';
import type { Result } from '../load/protocol.js';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { untilProjected } from '../support/catch-up.js';
import { describeRuns, perSecond, rates } from '../support/closed-side.js';
import { lastPosition } from '../support/service-log.js';
import { startService } from '../support/service-process.js';
import { look, makeUsers } from './query.js';

const CONNECTIONS = 16;
const TAG = 'follower';
const WEBHOOKS_PER_SECOND = 300;
const WEBHOOK_CONNECTIONS = 32;
/** Webhooks come for so long before the reads and after them, in seconds. */
const AROUND_SECONDS = 1;

const NAMES = ['leader', 'follower'] as const;
type Name = (typeof NAMES)[number];

/**
 * Reads per second of 500 users' entitlements, on the instance that folds the log and on one that follows it, while other users
 * pay, 300 webhooks a second by the clock. The webhooks go to the instance that is not read, so that each reads beside nothing
 * but its own part in the fold.
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
    const run = async (name: Name, round: string, seconds: number): Promise<Result> => {
      const paying = webhooks.run({
        kind: 'freshness',
        port: ports[name === 'leader' ? 'follower' : 'leader'],
        rate: WEBHOOKS_PER_SECOND,
        seconds: seconds + 2 * AROUND_SECONDS,
        connections: WEBHOOK_CONNECTIONS,
        tag: `${TAG}${name}${round}x`,
        secret,
        adminKey,
      });
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
      notes: NAMES.map((name) => ({
        what: `follower: reads of the ${name}`,
        value: describeRuns(results[name]),
      })),
    };
  } finally {
    await follower.stop();
    await leader.stop();
    await webhooks.stop();
  }
}
