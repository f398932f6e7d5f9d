import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EventListener } from '../load/event-listener.js';
import { limitRow, type Note, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { fillUsers, untilSo } from '../support/fill-users.js';
import { startService } from '../support/service-process.js';

/** Streams of one user, half of them on each instance. */
const STREAMS_OF_A_USER = 10;
const POLLS_OF_A_USER = 10;
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

/**
 * Streams of users over two instances, while each user changes again and again: whether every change reached every stream,
 * in order, and how long after its event (the writer's clock, before the commit); then long polls likewise, and the
 * memory of both.
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
    const authorization = `Bearer ${adminKey}`;
    const scene: Scene = { ports: [first.port, second.port], authorization };
    await fillUsers({ port: first.port, headers: { authorization } }, databaseUrl, {
      users: effort.scaleUsers,
      begin: 'earlier',
    });
    say(`  ${effort.scaleUsers} users are there`);
    const streams = await pushToStreams(scene, effort.pushStreams, effort.pushChanges);
    say(
      `  ${streams.told} events on ${effort.pushStreams} streams, p99 ${quantile(streams.delays, 0.99)} ms`,
    );
    const polls = await answerPolls(scene, effort.pushPolls);
    const memory = await Promise.all(scene.ports.map(memoryOf));
    return {
      rows: [
        limitRow({
          work: `event → SSE on two instances, p99 of ${effort.pushStreams} streams × ${effort.pushChanges} changes, 100 a second`,
          ours: Math.max(1, quantile(streams.delays, 0.99)),
          against: 'the limit',
          theirs: P99_LIMIT_MS,
        }),
        {
          ...limitRow({
            work: `memory of an instance, ${effort.scaleUsers} users, ${effort.pushStreams} streams on two`,
            ours: Math.max(...memory),
            against: 'the limit',
            theirs: MEMORY_LIMIT_MB,
          }),
          unit: 'MB',
        },
      ],
      notes: [
        noteOf('streams', streams.delays),
        noteOf(`${effort.pushPolls} long polls`, polls),
        { what: 'push: missed or out of order', value: '0' },
      ],
    };
  } finally {
    await second.stop();
    await first.stop();
  }
}

/** @throws Error when a change did not reach a stream, or not in order */
async function pushToStreams(
  scene: Scene,
  streams: number,
  changes: number,
): Promise<{ readonly told: number; readonly delays: readonly number[] }> {
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
  for (let change = 1; change <= changes; change += 1) {
    await changeAll(scene, users, change);
    await untilSo(async () => listeners.every(({ versions }) => versions.length > change));
  }
  for (const { versions } of listeners) {
    const isWhole = versions.every((version, n) => version === (versions[0] ?? 0) + n);
    if (!isWhole || versions.length !== changes + 1) {
      throw new Error(`a stream told the versions ${versions.join(' ')}`);
    }
  }
  for (const listener of listeners) listener.close();
  return { told: streams * changes, delays: listeners.flatMap(({ delays }) => delays) };
}

/** How long after the event each of so many waiting requests was answered, in milliseconds. */
async function answerPolls(scene: Scene, polls: number): Promise<readonly number[]> {
  const users = Array.from({ length: polls / POLLS_OF_A_USER }, (_, n) => `poll-${n}`);
  const waiting = Array.from({ length: polls }, async (_, n) => {
    const path = `/v1/users/${users[Math.floor(n / POLLS_OF_A_USER)]}/entitlements`;
    const url = `http://127.0.0.1:${scene.ports[n % 2]}${path}`;
    const { authorization } = scene;
    const now = await fetch(url, { headers: { authorization } });
    await now.arrayBuffer();
    const answer = await fetch(`${url}?wait=25`, {
      headers: { authorization, 'if-none-match': now.headers.get('etag') ?? '' },
    });
    const changedAt = /"changedAt":"([^"]+)"/.exec(await answer.text())?.[1];
    return Date.now() - Date.parse(changedAt ?? '');
  });
  await untilSo(async () => {
    const open = await Promise.all(scene.ports.map((port) => figureOf(port, 'tenure_streams')));
    return open.reduce((sum, each) => sum + each, 0) === polls;
  });
  await changeAll(scene, users, 1);
  const delays = await Promise.all(waiting);
  if (delays.some(Number.isNaN)) throw new Error('a long poll ended without the change');
  return delays;
}

/** Changes every user once, by one instance and the other, one after the other by the clock. */
async function changeAll(scene: Scene, users: readonly string[], change: number): Promise<void> {
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
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
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

function noteOf(what: string, delays: readonly number[]): Note {
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) => quantile(delays, part));
  return {
    what: `push: ${what}, after the event`,
    value: `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms of ${delays.length}`,
  };
}
