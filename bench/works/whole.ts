import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisServer } from '../../test/support/redis.js';
import type { WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchRedis } from '../support/bench-redis.js';
import { untilProjected } from '../support/catch-up.js';
import { fillUsers, untilSo } from '../support/fill-users.js';
import { ProcessWatch } from '../support/process-watch.js';
import type { BenchServer } from '../support/rival-process.js';
import { lastPosition } from '../support/service-log.js';
import { startService } from '../support/service-process.js';
import { AFTERWARDS_MS, makeEndpoint, rebuild, thirdStart, type Within } from '../whole/happenings.js';
import { ReceiverProcess, WholeLoadProcess } from '../whole/processes.js';
import { PostgresProcesses, processorSeconds } from '../whole/processor-time.js';
import { instant } from '../whole/protocol.js';
import { type Costs, type Rebuild, reportOf, roomOf, type Seen } from '../whole/report.js';
import { outcomeOf, type Span } from '../whole/stages.js';

const TAG = 'whole';
/** How long streams are open before anything is sent, and how long the load goes on before anything is measured. */
const IDLE_MS = 10_000;
const WARM_MS = 10_000;
/** Reads a second of users who were there before. */
const READS_A_SECOND = 100;
const DRAIN_MS = 900_000;
/** What is asked for, unless the environment says otherwise. */
const STREAMS = 1_000;
const RATE = 100;

/** Everything of Tenure at once: what was asked for, and who takes part. */
interface Scene {
  readonly users: number;
  readonly streams: number;
  readonly rate: number;
  readonly steadyMs: number;
  readonly databaseUrl: string;
  readonly authorization: string;
  readonly start: (name: string) => Promise<BenchServer>;
  readonly ports: readonly [number, number];
  readonly watches: readonly ProcessWatch[];
  readonly redis: RedisServer;
  readonly postgres: PostgresProcesses | null;
  readonly load: WholeLoadProcess;
  readonly receiver: ReceiverProcess;
  readonly say: (line: string) => void;
}

/**
 * The whole at once: users with a past, streams, Redis, outgoing webhooks and two instances on one PostgreSQL, under webhooks by
 * the clock; then a third instance that starts, and a rebuild and its swap, under the same load.
 */
export async function benchWhole({
  database,
  effort,
  say,
}: Pick<BenchContext, 'database' | 'effort' | 'say'>): Promise<WorkReport> {
  const users = Number(process.env.WHOLE_USERS ?? effort.scaleUsers);
  const streams = Number(process.env.WHOLE_STREAMS ?? STREAMS);
  const rate = Number(process.env.WHOLE_RATE ?? RATE);
  const steadyMs = Number(process.env.WHOLE_SECONDS ?? effort.wholeSeconds) * 1_000;
  if (streams < 2 * rate) throw new Error('WHOLE_STREAMS must be twice WHOLE_RATE: users turn once in 2 s');
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const adminKey = randomBytes(32).toString('hex');
  const authorization = `Bearer ${adminKey}`;
  const databaseUrl = await database.create('whole');
  const redis = await benchRedis();
  const start = (name: string): Promise<BenchServer> =>
    startService({
      databaseUrl,
      secret,
      adminKey,
      log: {},
      environment: { REDIS_URL: redis.url, WEBHOOKS_ALLOW_PRIVATE: 'true' },
      logFile: join(tmpdir(), `tenure-bench-${process.pid}-whole-${name}.log`),
    });
  const ends: (() => unknown)[] = [() => redis.kill()];
  try {
    const first = await start('first');
    ends.push(() => first.stop());
    await fillUsers({ port: first.port, headers: { authorization } }, databaseUrl, {
      users,
      begin: 'earlier',
    });
    say(`  ${users} users are there`);
    await database.settle();
    const second = await start('second');
    ends.push(() => second.stop());
    await untilProjected(second.port, adminKey, await lastPosition(databaseUrl));

    const receiver = new ReceiverProcess();
    ends.push(() => receiver.stop());
    receiver.expect(await makeEndpoint(first.port, authorization, await receiver.start()), TAG);
    const load = new WholeLoadProcess();
    ends.push(() => load.stop());
    const ports = [first.port, second.port] as const;
    const watches = ports.map((port) => new ProcessWatch(port, { authorization }));
    ends.push(() => watches.map((watch) => watch.stop()));
    await load.open({
      ports: [first.port, second.port],
      streams,
      rate,
      reads: READS_A_SECOND,
      readers: users,
      tag: TAG,
      secret,
      adminKey,
    });
    say(`  ${streams} streams are open`);
    const postgres = await PostgresProcesses.find(databaseUrl);
    const scene = { users, streams, rate, steadyMs, databaseUrl, authorization, start, ports };
    return await measure({ ...scene, watches, redis, postgres, load, receiver, say });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function measure(scene: Scene): Promise<WorkReport> {
  const { load, receiver, say, postgres, watches } = scene;
  const idle = await costsOf(scene, () => pause(IDLE_MS));
  const spans: Span[] = [];
  const within: Within = async (name, work) => {
    const from = instant();
    const done = await work();
    spans.push({ name, from, until: instant() });
    return done;
  };
  const found: { steady?: Costs; memory?: readonly number[]; startSeconds?: number; rebuild?: Rebuild } = {};
  const whole = await load.during(async () => {
    await pause(WARM_MS);
    found.steady = await within('steady', () => costsOf(scene, () => pause(scene.steadyMs)));
    found.memory = watches.map((watch) => watch.most);
    say('  the steady part is over');
    await within('a third instance starts', async () => {
      found.startSeconds = await thirdStart(scene.start);
    });
    say(`  a third instance was ready after ${found.startSeconds?.toFixed(1)} s`);
    found.rebuild = await rebuild(scene.ports[0], scene.authorization, within);
    say(`  rebuilt and swapped: ${JSON.stringify(found.rebuild)}`);
    await pause(AFTERWARDS_MS);
  });
  const { steady, startSeconds, rebuild: rebuilt } = found;
  if (steady === undefined || startSeconds === undefined || rebuilt === undefined) {
    throw new Error('the load ended before its time');
  }
  const drain = await drained(scene, whole.payments.length);
  const received = await receiver.received('all');
  const outcome = outcomeOf(whole, received.sent);
  const leads = await Promise.all(scene.ports.map((port) => isLeading(port)));
  const seen: Seen = {
    users: scene.users,
    streams: scene.streams,
    rate: scene.rate,
    spans,
    outcome,
    whole,
    received,
    idle,
    steady,
    rebuild: rebuilt,
    startSeconds,
    drainSeconds: drain,
    instances: watches.map((watch, n) => ({
      name: leads[n] === true ? 'instance that folds' : 'instance that follows',
      steady: found.memory?.[n] ?? 0,
      most: watch.most,
      newest: watch.newest,
    })),
    postgresMegabytes: postgres === null ? null : await postgres.megabytes(),
    redisMegabytes: await redisFigure(scene.redis, 'used_memory_rss', 1e-6),
    room: await roomOf(scene.databaseUrl),
  };
  return reportOf(seen);
}

/** Processor seconds of each who takes part while something goes on. */
async function costsOf(scene: Scene, work: () => Promise<unknown>): Promise<Costs> {
  const [before, began] = [await processors(scene), instant()];
  await work();
  const [after, ended] = [await processors(scene), instant()];
  return {
    seconds: (ended - began) / 1_000,
    processors: after.map(({ name, seconds }, n) => ({ name, seconds: seconds - (before[n]?.seconds ?? 0) })),
  };
}

async function processors(scene: Scene): Promise<Costs['processors']> {
  const { watches, ports, postgres, redis, load, receiver } = scene;
  const instances = watches.map(async (watch, n) => ({
    name: (await isLeading(ports[n] ?? 0)) ? 'instance that folds' : 'instance that follows',
    seconds: await watch.processorSeconds(),
  }));
  return [
    ...(await Promise.all(instances)),
    { name: 'PostgreSQL', seconds: (await postgres?.processorSeconds()) ?? 0 },
    {
      name: 'Redis',
      seconds: (await redisFigure(redis, 'used_cpu_sys', 1)) + (await redisFigure(redis, 'used_cpu_user', 1)),
    },
    { name: 'load (of the bench)', seconds: await processorSeconds(load.pid) },
    { name: 'receiver (of the bench)', seconds: await processorSeconds(receiver.pid) },
  ];
}

async function redisFigure(redis: RedisServer, name: string, factor: number): Promise<number> {
  const info = await redis.ask((client) => client.info());
  return Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? 0) * factor;
}

async function isLeading(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
  return /"state":"leading"/.test(await answer.text());
}

/** Waits until the receiver has all messages, or no more come: how long that took behind the load, in seconds. */
async function drained({ receiver }: Scene, expected: number): Promise<number> {
  const began = performance.now();
  const taken = async (): Promise<number> => (await receiver.received('count')).taken;
  let [last, changed] = [await taken(), performance.now()];
  await untilSo(async () => {
    const now = await taken();
    if (now !== last) [last, changed] = [now, performance.now()];
    const isQuiet = performance.now() - changed > 30_000;
    return now >= expected || isQuiet || performance.now() - began > DRAIN_MS;
  });
  return (changed - began) / 1_000;
}
