import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { EventListener } from '../load/event-listener.js';
import { limitRow, type Note, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { fillUsers, untilSo } from '../support/fill-users.js';
import { startService } from '../support/service-process.js';

/** Streams of one user, half of them on each instance. */
const STREAMS_OF_A_USER = 10;
const POLLS_OF_A_USER = 10;
/** Changes of each user before those that are measured, and rounds of long polls: code that is cold is no answer to the question. */
const WARMING_CHANGES = 5;
const WARMING_POLLS = 2;
const POLL_ROUNDS = 10;
/** Changes that are asked for at once, at most. */
const WRITERS = 16;
/** A change is due each so many milliseconds, whoever is slow: each reaches ten streams. */
const CHANGE_EVERY_MS = 10;
const P99_LIMIT_MS = 50;
const MEMORY_LIMIT_MB = 400;
const MEGABYTE = 1_000_000;

interface Scene {
  readonly ports: readonly [number, number];
  readonly authorization: string;
}

/** How long after its commit, which the answer to who changed something tells, and after its event something was received, in ms. */
interface Delays {
  readonly sinceAnswer: number[];
  readonly sinceEvent: number[];
}

/**
 * Streams of users over two instances, while each user changes again and again: whether every change reached every stream,
 * in order, and how long after its commit; then long polls likewise, and the memory of both.
 */
export async function benchPush({
  effort,
  database,
  secret,
  adminKey,
  say,
}: BenchContext): Promise<WorkReport> {
  const databaseUrl = await database.create('push');
  const logFile = join(tmpdir(), `tenure-bench-${process.pid}-push.log`);
  const settings = { databaseUrl, secret, adminKey, log: {}, logFile };
  const first = await startService(settings);
  const second = await startService(settings);
  try {
    const users = Number(process.env.PUSH_USERS ?? effort.scaleUsers);
    const changes = Number(process.env.PUSH_CHANGES ?? effort.pushChanges);
    const authorization = `Bearer ${adminKey}`;
    const scene: Scene = { ports: [first.port, second.port], authorization };
    await fillUsers({ port: first.port, headers: { authorization } }, databaseUrl, {
      users,
      begin: 'earlier',
    });
    say(`  ${users} users are there`);
    await database.settle(); // the users' rows are written out before, and not meanwhile
    const lag = monitorEventLoopDelay({ resolution: 1 });
    lag.enable();
    const streams = await pushToStreams(scene, effort.pushStreams, changes);
    lag.disable();
    say(
      `  ${streams.sinceAnswer.length} events on ${effort.pushStreams} streams, p99 ${quantile(streams.sinceAnswer, 0.99)} ms`,
    );
    const polls = await answerPolls(scene, effort.pushPolls);
    const memory = await Promise.all(scene.ports.map(memoryOf));
    return {
      rows: [
        limitRow({
          work: `committed → SSE on two instances, p99 of ${effort.pushStreams} streams × ${changes} changes, 100 a second`,
          ours: Math.max(1, quantile(streams.sinceAnswer, 0.99)),
          against: 'the limit',
          theirs: P99_LIMIT_MS,
        }),
        {
          ...limitRow({
            work: `memory of an instance, ${users} users, ${effort.pushStreams} streams on two`,
            ours: Math.max(...memory),
            against: 'the limit',
            theirs: MEMORY_LIMIT_MB,
          }),
          unit: 'MB',
        },
      ],
      notes: [
        ...notesOf('streams', streams),
        ...notesOf(`${effort.pushPolls} long polls`, polls),
        {
          what: 'push: how late the process that reads the streams was itself',
          value: `p50 ${(lag.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(lag.percentile(99) / 1e6).toFixed(1)} ms`,
        },
        { what: 'push: missed or out of order', value: '0' },
      ],
    };
  } finally {
    await second.stop();
    await first.stop();
  }
}

/** @throws Error when a change did not reach a stream, or not in order */
async function pushToStreams(scene: Scene, streams: number, changes: number): Promise<Delays> {
  const users = Array.from({ length: streams / STREAMS_OF_A_USER }, (_, n) => `push-${n}`);
  const listeners = await Promise.all(
    Array.from({ length: streams }, (_, n) =>
      EventListener.open(
        scene.ports[n % 2] ?? 0,
        users[Math.floor(n / STREAMS_OF_A_USER)] ?? '',
        scene.authorization,
      ),
    ),
  );
  const answered: ReadonlyMap<string, number>[] = [];
  const all = WARMING_CHANGES + changes;
  for (let change = 1; change <= all; change += 1) {
    answered.push(await changeAll(scene, users, change));
    await untilSo(async () => listeners.every(({ versions }) => versions.length > change));
  }
  for (const { versions } of listeners) {
    const isWhole = versions.every((version, n) => version === (versions[0] ?? 0) + n);
    if (!isWhole || versions.length !== all + 1) {
      throw new Error(`a stream told the versions ${versions.join(' ')}`);
    }
  }
  for (const listener of listeners) listener.close();
  const delays: Delays = { sinceAnswer: [], sinceEvent: [] };
  for (const [n, { came, made }] of listeners.entries()) {
    const userId = users[Math.floor(n / STREAMS_OF_A_USER)] ?? '';
    for (let change = WARMING_CHANGES + 1; change <= all; change += 1) {
      const [cameAt = 0, madeAt = 0] = [came[change], made[change]];
      delays.sinceAnswer.push(Math.max(0, cameAt - (answered[change - 1]?.get(userId) ?? 0)));
      delays.sinceEvent.push(cameAt - madeAt);
    }
  }
  return delays;
}

/** How long after the change each of so many waiting requests was answered, round after round. */
async function answerPolls(scene: Scene, polls: number): Promise<Delays> {
  const delays: Delays = { sinceAnswer: [], sinceEvent: [] };
  for (let round = 1; round <= WARMING_POLLS + POLL_ROUNDS; round += 1) {
    const { sinceAnswer, sinceEvent } = await answerPollsOnce(scene, polls, round);
    if (round <= WARMING_POLLS) continue;
    delays.sinceAnswer.push(...sinceAnswer);
    delays.sinceEvent.push(...sinceEvent);
  }
  return delays;
}

async function answerPollsOnce(scene: Scene, polls: number, round: number): Promise<Delays> {
  const users = Array.from({ length: polls / POLLS_OF_A_USER }, (_, n) => `poll-${n}`);
  const waiting = Array.from({ length: polls }, async (_, n) => {
    const userId = users[Math.floor(n / POLLS_OF_A_USER)] ?? '';
    const path = `/v1/users/${userId}/entitlements`;
    const url = `http://127.0.0.1:${scene.ports[n % 2]}${path}`;
    const { authorization } = scene;
    const now = await fetch(url, { headers: { authorization } });
    await now.arrayBuffer();
    const answer = await fetch(`${url}?wait=25`, {
      headers: { authorization, 'if-none-match': now.headers.get('etag') ?? '' },
    });
    const changedAt = /"changedAt":"([^"]+)"/.exec(await answer.text())?.[1];
    return { userId, came: Date.now(), made: Date.parse(changedAt ?? '') };
  });
  await untilSo(async () => {
    const open = await Promise.all(scene.ports.map((port) => figureOf(port, 'tenure_streams')));
    return open.reduce((sum, each) => sum + each, 0) === polls;
  });
  const answered = await changeAll(scene, users, round);
  const told = await Promise.all(waiting);
  if (told.some(({ made }) => Number.isNaN(made))) throw new Error('a long poll ended without the change');
  return {
    sinceAnswer: told.map(({ userId, came }) => Math.max(0, came - (answered.get(userId) ?? 0))),
    sinceEvent: told.map(({ came, made }) => came - made),
  };
}

/** Changes every user once, by one instance and the other, one after the other by the clock; returns when each change was answered, Unix ms. */
async function changeAll(
  scene: Scene,
  users: readonly string[],
  change: number,
): Promise<ReadonlyMap<string, number>> {
  const answered = new Map<string, number>();
  const began = performance.now();
  const left = users
    .map((userId, n) => ({
      userId,
      port: scene.ports[(n + change) % 2],
      dueAt: began + n * CHANGE_EVERY_MS,
    }))
    .reverse();
  const write = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      await pause(Math.max(0, next.dueAt - performance.now()));
      const answer = await fetch(`http://127.0.0.1:${next.port}/v1/users/${next.userId}/overrides/members`, {
        method: 'PUT',
        headers: { authorization: scene.authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ value: change, reason: 'bench' }),
      });
      if (!answer.ok) throw new Error(`an override was answered ${answer.status}: ${await answer.text()}`);
      answered.set(next.userId, Date.now());
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  return answered;
}

async function memoryOf(port: number): Promise<number> {
  return (await figureOf(port, 'process_resident_memory_bytes')) / MEGABYTE;
}

async function figureOf(port: number, metric: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1]);
}

function quantile(figures: readonly number[], part: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function notesOf(what: string, { sinceAnswer, sinceEvent }: Delays): readonly Note[] {
  return [
    { what: `push: ${what}, after the answer (commit)`, value: describe(sinceAnswer) },
    { what: `push: ${what}, after the event (before its commit)`, value: describe(sinceEvent) },
  ];
}

function describe(delays: readonly number[]): string {
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) => quantile(delays, part));
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms of ${delays.length}`;
}
