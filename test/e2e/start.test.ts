import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { ADMIN_KEY, PLANS, testEnvironment } from '../support/service.js';
import { type Ended, freePort, ServiceProcess } from '../support/service-process.js';
import { SECRET } from '../support/stripe-events.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'tenure-start-'));
  const plansFile = join(folder, 'plans.yaml');
  await writeFile(plansFile, PLANS);
  environment = testEnvironment(database.url, plansFile);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

/** The lines a process that would not start said; fails when they hold more than lines for a person. */
function linesOf({ stdout, stderr }: Ended): readonly string[] {
  expect(stdout).toBe('');
  const lines = stderr.trimEnd().split('\n');
  for (const line of lines) {
    expect(line).toMatch(/^tenure: \S/);
    expect(line).not.toMatch(/^\s+at |\.(js|ts):\d+:\d+/);
  }
  return lines;
}

describe('A start that cannot be', () => {
  it('with settings that are bad or missing names each of them, one line each, shows no secret and exits with 78', async () => {
    const bad = { PORT: '70000', TENURE_ADMIN_KEY: 'short-and-secret', STRIPE_LIVEMODE: 'yes' };
    const ended = await new ServiceProcess(bad).ended;
    expect(ended.code).toBe(78);
    expect(linesOf(ended).map((line) => line.split(' ')[1])).toEqual([
      'PORT',
      'STRIPE_WEBHOOK_SECRET',
      'STRIPE_LIVEMODE',
      'TENURE_ADMIN_KEY',
    ]);
    expect(ended.stderr).not.toContain('short-and-secret');
  });

  it('with a bad plan file names the line at fault and exits with 78', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, 'default: gold\nplans:\n  free: { role: free }\n');
    const ended = await new ServiceProcess({ ...environment, PLANS_FILE: file }).ended;
    expect(ended.code).toBe(78);
    expect(linesOf(ended)[0]).toMatch(/^tenure: bad\.yaml:3: plans\.free\.rank/);
  });

  it('without the plan file says which setting names it, and exits with 78', async () => {
    const ended = await new ServiceProcess({ ...environment, PLANS_FILE: join(folder, 'none.yaml') }).ended;
    expect(ended.code).toBe(78);
    expect(linesOf(ended)).toEqual([expect.stringContaining('PLANS_FILE')]);
  });

  it('without a database that answers says so in one line and exits with 69', async () => {
    const nobody = `postgres://nobody:very-secret-word@127.0.0.1:${await freePort()}/none`;
    const ended = await new ServiceProcess({ ...environment, DATABASE_URL: nobody }).ended;
    expect(ended.code).toBe(69);
    expect(linesOf(ended)).toHaveLength(1);
    expect(ended.stderr).not.toContain('very-secret-word');
  });

  it('with data under a folder where nothing can be made says so in one line and exits with 69', async () => {
    const { DATABASE_URL: _, ...rest } = environment;
    const ended = await new ServiceProcess({ ...rest, DATA_DIR: '/proc/nothing/data' }).ended;
    expect(ended.code).toBe(69);
    expect(linesOf(ended)).toEqual([expect.stringMatching(/cannot make the folder \/proc\/nothing\/data/)]);
  });

  it('because SIGINT comes in the middle ends with 0', async () => {
    const holder = await database.pool.connect();
    await holder.query('select pg_advisory_lock(1953395301, 2)'); // the one under which migrations run
    const service = new ServiceProcess({ ...environment, PORT: '0' });
    const isWaiting = async (): Promise<boolean> => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where application_name = 'tenure migrations' and wait_event_type = 'Lock'
           and datname = current_database()`,
      );
      return rows.length > 0;
    };
    try {
      await until('it waits for its migrations', isWaiting);
      expect(await service.kill('SIGINT')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    } finally {
      await service.kill('SIGKILL');
      holder.release(true);
    }
  });
});

describe('A service that runs', () => {
  it('keeps its port to itself, ends with 0 at SIGTERM, and says no secret in its log', async () => {
    const port = await freePort();
    const service = new ServiceProcess({ ...environment, PORT: String(port), LOG_LEVEL: 'trace' });
    try {
      await service.isReady(`http://127.0.0.1:${port}`);
      const ended = await new ServiceProcess({ ...environment, PORT: String(port) }).ended;
      expect(ended.code).toBe(69);
      expect(linesOf(ended)).toHaveLength(1);
      expect(ended.stderr).toContain('EADDRINUSE');
    } finally {
      await service.kill('SIGTERM');
    }
    const { code, stdout, stderr } = await service.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).toContain('tenure listens');
    for (const secret of [ADMIN_KEY, SECRET]) expect(stdout + stderr).not.toContain(secret);
  });
});
