import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { built } from '../support/compiled.js';
import { testFolder } from '../support/folder.js';
import { ADMIN_KEY } from '../support/service.js';
import { SHORT_LIVED } from '../support/service-process.js';
import { SECRET } from '../support/stripe-events.js';
import { until } from '../support/until.js';

const ENOUGH = { STRIPE_WEBHOOK_SECRET: SECRET, STRIPE_LIVEMODE: 'false', TENURE_ADMIN_KEY: ADMIN_KEY };

interface Run {
  readonly process: ChildProcess;
  stdout: string;
  stderr: string;
  /** Exit code, `null` when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** The program as a process of its own, with nothing but these settings. */
function run(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Run {
  const child = spawn(process.execPath, ['--no-warnings', ...SHORT_LIVED, built('main'), ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]) => z.number().nullable().parse(code));
  const running: Run = { process: child, stdout: '', stderr: '', ended };
  child.stdout.on('data', (chunk: Buffer) => {
    running.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    running.stderr += chunk.toString('utf8');
  });
  return running;
}

/** Where it listens, once it says so. */
function listening(running: Run): Promise<string> {
  return until('the service listens', () => {
    if (running.process.exitCode !== null) throw new Error(`ended: ${running.stderr}`);
    return /"url":"(http:[^"]+)"/.exec(running.stdout)?.[1];
  });
}

describe('The program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await testFolder('tenure-main-test-');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('lists its settings and its version', async () => {
    const [help, version] = [run({}, '--help'), run({}, '--version')];
    expect(await help.ended).toBe(0);
    for (const name of [...Object.keys(ENOUGH), 'DATABASE_URL', 'DATA_DIR', 'PLANS_FILE']) {
      expect(help.stdout).toContain(name);
    }
    expect(await version.ended).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('starts a PostgreSQL of its own when none is named, says so, stops it with itself, and starts again', async () => {
    const data = { ...ENOUGH, PORT: '0', LOG_LEVEL: 'trace', DATA_DIR: join(folder, 'data') };
    const first = run(data);
    const url = await listening(first);
    expect(first.stderr).toMatch(/^tenure: .*PostgreSQL/m);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    expect((await fetch(`${url}/v1/users/u/entitlements`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/webhooks/stripe`, { method: 'POST', body: '{"marker":1}' })).status).toBe(
      400,
    );
    first.process.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.stdout).toContain('"route":"/webhooks/stripe"');
    for (const secret of [SECRET, ADMIN_KEY, 'marker']) {
      expect(first.stdout + first.stderr).not.toContain(secret);
    }

    const second = run(data);
    await listening(second);
    second.process.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });
});
