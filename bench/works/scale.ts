import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HttpConnection } from '../load/http-connection.js';
import { signedWebhook, userOf } from '../load/subscription-lives.js';
import { median, type Note, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchFolder } from '../support/end-of-bench.js';
import { EVENTS_OF_A_USER, fillUsers, untilSo } from '../support/fill-users.js';
import { ProcessWatch } from '../support/process-watch.js';
import { PLANS, startService } from '../support/service-process.js';

/** Part of the ids of who pays while the catalogue is published. */
const BUYERS = 'buyer';
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A running service that is watched. */
interface Scene {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string;
}

/**
 * What the service takes for many users: memory, the time to fold their events as they come, the time of a publication to
 * all of them, and how long who pays meanwhile waits to be seen.
 */
export async function benchScale({
  effort,
  database,
  secret,
  adminKey,
  say,
}: BenchContext): Promise<WorkReport> {
  const databaseUrl = await database.create('scale');
  const logFile = join(tmpdir(), `tenure-bench-${process.pid}-scale.log`);
  const service = await startService({ databaseUrl, secret, adminKey, log: {}, logFile });
  const scene = { port: service.port, headers: { authorization: `Bearer ${adminKey}` }, secret };
  const memory = new ProcessWatch(scene.port, scene.headers);
  try {
    const filled = await seconds(() =>
      fillUsers(scene, databaseUrl, { users: effort.scaleUsers, begin: 'earlier' }),
    );
    say(`  ${effort.scaleUsers} users in ${filled.toFixed(0)} s, ${memory.newest} MB`);
    const waits: number[] = [];
    const published = await seconds(() => publishWhilePaying(scene, databaseUrl, waits));
    say(`  published in ${published.toFixed(1)} s; ${waits.length} paid meanwhile`);
    return { rows: [], notes: notesOf(effort.scaleUsers, { filled, published, waits, memory }) };
  } finally {
    memory.stop();
    await service.stop();
  }
}

/** Publishes another catalogue, until every user is judged by it; `waits` gets the milliseconds of each who pays meanwhile. */
async function publishWhilePaying(scene: Scene, databaseUrl: string, waits: number[]): Promise<void> {
  const folder = await benchFolder(join(tmpdir(), 'tenure-bench-plans-'));
  const file = join(folder, 'plans.yaml');
  const plans = await readFile(PLANS, 'utf8');
  await writeFile(file, plans.replaceAll('members: 500 ', 'members: 501 '));
  await promisify(execFile)(process.execPath, [CLI, 'plans', 'publish', file, '--actor', 'bench'], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
  });
  for (let number = 0; waits.length === 0 || (await isPublishing(scene)); number += 1) {
    waits.push(await payAndWait(scene, number));
  }
}

/** A new user buys: milliseconds from Stripe's last delivery, answered, until the user is seen to have the plan. */
async function payAndWait(scene: Scene, number: number): Promise<number> {
  const connection = await HttpConnection.open('127.0.0.1', scene.port);
  try {
    const now = Math.floor(Date.now() / 1_000);
    for (const step of [0, 1]) {
      const { status } = await connection.send(
        signedWebhook({ tag: BUYERS, secret: scene.secret }, number, step, now),
      );
      if (status !== 200) throw new Error(`a webhook was answered ${status}`);
    }
    const began = performance.now();
    await untilSo(async () => (await plan(scene, userOf(BUYERS, number))) === 'plus');
    return performance.now() - began;
  } finally {
    connection.close();
  }
}

async function plan(scene: Scene, userId: string): Promise<unknown> {
  const answer = await fetch(url(scene, `/v1/users/${userId}/entitlements`), scene);
  const body: unknown = await answer.json();
  return typeof body === 'object' && body !== null && 'plan' in body ? body.plan : null;
}

/** Whether the live projection still writes a publication in parts. */
async function isPublishing(scene: Scene): Promise<boolean> {
  const answer = await fetch(url(scene, '/v1/ops/projections/entitlements'), scene);
  const body: unknown = await answer.json();
  return (
    typeof body === 'object' &&
    body !== null &&
    'publications' in body &&
    Array.isArray(body.publications) &&
    body.publications.length > 0
  );
}

function notesOf(
  users: number,
  figures: {
    readonly filled: number;
    readonly published: number;
    readonly waits: readonly number[];
    readonly memory: ProcessWatch;
  },
): readonly Note[] {
  const { filled, published, waits, memory } = figures;
  const rate = (users * EVENTS_OF_A_USER) / filled;
  return [
    {
      what: `scale: ${users * EVENTS_OF_A_USER} events of ${users} users appended and folded`,
      value: `${filled.toFixed(0)} s, ${rate.toFixed(0)}/s`,
    },
    {
      what: 'scale: memory of the service, at the end and at most',
      value: `${memory.newest} MB, ${memory.most} MB`,
    },
    { what: 'scale: a catalogue published to all', value: `${published.toFixed(1)} s` },
    {
      what: `scale: ${waits.length} paid meanwhile, seen after`,
      value: `median ${median(waits).toFixed(0)} ms, most ${Math.max(...waits).toFixed(0)} ms`,
    },
  ];
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

function url({ port }: Scene, path: string): string {
  return `http://127.0.0.1:${port}${path}`;
}
