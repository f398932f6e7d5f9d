import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENDS_WITH_BENCH, NODE_FLAGS, pidOf, stopChild } from './child.js';
import type { BenchServer } from './rival-process.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** The catalogue that measured services have. */
export const PLANS = fileURLToPath(new URL('../../demo/plans.yaml', import.meta.url));
const START_WITHIN_MS = 60_000;

export interface ServiceSettings {
  readonly databaseUrl: string;
  readonly secret: string;
  readonly adminKey: string;
  /** Where the log is kept, as environment variables; none: in the database. */
  readonly log: Readonly<Record<string, string>>;
  /** Settings besides, as environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets what the service writes. */
  readonly logFile: string;
}

/** Starts the built service, `dist/main.js`, as operations would, and waits until it says that it is ready. */
export async function startService(settings: ServiceSettings): Promise<BenchServer> {
  const port = await freePort();
  const log = createWriteStream(settings.logFile, { flags: 'a' });
  // BENCH_NODE_ARGS='--cpu-prof --cpu-prof-dir=/tmp/prof' shows where the time goes.
  const nodeArguments = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((argument) => argument !== '');
  const child = spawn(process.execPath, [...NODE_FLAGS, ...ENDS_WITH_BENCH, ...nodeArguments, MAIN], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: String(port),
      DATABASE_URL: settings.databaseUrl,
      STRIPE_WEBHOOK_SECRET: settings.secret,
      STRIPE_LIVEMODE: 'false',
      TENURE_ADMIN_KEY: settings.adminKey,
      PLANS_FILE: PLANS,
      ...settings.log,
      ...settings.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the service ended with code ${child.exitCode}: see ${settings.logFile}`);
    if (await isReady(port)) return { port, pid: pidOf(child), stop: () => stopChild(child) };
    if (performance.now() > deadline) {
      await stopChild(child);
      throw new Error(`the service was not ready within ${START_WITHIN_MS} ms: see ${settings.logFile}`);
    }
    await pause(50);
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch (error) {
    // Nobody listens yet: fetch says so with a TypeError.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free port'));
        else resolve(address.port);
      });
    });
  });
}
