import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../../test/support/compiled.js';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { hashOfKey } from '../auth/keys/api-key.js';
import { parsePlanFile } from '../plans/plan-file.js';
import { runCli } from './program.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

async function tenure(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment: { DATABASE_URL: database.url, ...environment },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('tenure keys', () => {
  it('create shows the key once, alone on standard output, and keeps its hash', async () => {
    const made = await tenure(['keys', 'create', '-n', 'shop', '-s', 'checkout', 'entitlements:read']);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^tenure_[\w-]{43}\n$/) });
    expect(made.err).toMatch(/^tenure: made key_[0-9a-f]{16} "shop" \(checkout, entitlements:read\)/);
    expect(made.err).not.toContain(made.out.trim());
    const { rows } = await database.pool.query(
      'select hash, to_jsonb(k)::text as whole from tenure.api_key k',
    );
    expect(rows).toEqual([
      { hash: hashOfKey(made.out.trim()), whole: expect.not.stringContaining(made.out.trim()) },
    ]);
    expect((await tenure(['keys', 'list'])).out).not.toContain(made.out.trim());
  });

  it('speak JSON, list what there is, and revoke once', async () => {
    const { out } = await tenure([
      'keys',
      'create',
      '--name',
      'ops',
      '--scope',
      'ops',
      '--scope',
      'ops',
      '--json',
    ]);
    const { id, key, ...rest } = JSON.parse(out);
    expect(key).toMatch(/^tenure_/);
    expect(rest).toEqual({ name: 'ops', scopes: ['ops'], createdAt: expect.any(String) });
    const listed = async () =>
      JSON.parse((await tenure(['keys', 'list', '--json'])).out).find(
        (each: { id: string }) => each.id === id,
      );
    expect(await listed()).toEqual({ id, ...rest, lastUsedAt: null, revokedAt: null });
    expect(await tenure(['keys', 'revoke', id])).toEqual({ code: 0, out: `${id} is revoked\n`, err: '' });
    const { revokedAt } = await listed();
    expect(revokedAt).not.toBeNull();
    expect(JSON.parse((await tenure(['keys', 'revoke', id, '--json'])).out)).toEqual({
      id,
      outcome: 'revoked_before',
    });
    expect((await listed()).revokedAt).toBe(revokedAt);
    expect((await tenure(['keys', 'list'])).out).toMatch(
      new RegExp(`^${id}  ops +ops +\\S+Z  - +\\S+Z$`, 'm'),
    );
  });

  it.each([
    [['keys', 'revoke', 'key_0'], {}, 1, 'there is no key key_0'],
    [['keys', 'create', '-n', 'x'], {}, 64, "required option '-s, --scope"],
    [['keys', 'create', '-n', 'x', '-s', 'root'], {}, 64, "'root' is invalid"],
    [['keys', 'create', '-n', '\n', '-s', 'ops'], {}, 64, '1 to 100 characters'],
    [['keys', 'forge'], {}, 64, "unknown command 'forge'"],
    [['keys', 'list', 'more'], {}, 64, 'too many arguments'],
    [['keys', 'list'], { DATABASE_URL: 'mysql://x' }, 78, 'DATABASE_URL must be'],
    [['keys', 'list'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' }, 69, 'ECONNREFUSED'],
  ])('%j with %j ends with its exit code and a word', async (args, environment, code, word) => {
    const ended = await tenure(args, environment);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toContain(word);
    expect(ended.err).not.toMatch(/\n\s+at /);
  });

  it('help says what there is, with scopes, settings and exit codes', async () => {
    expect(await tenure(['--help'])).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/keys.*DATABASE_URL.*Exit codes:.*64 {2}called wrongly/s),
    });
    expect((await tenure(['keys', 'create', '--help'])).out).toContain(
      'entitlements:write  grants and usage',
    );
  });
});

it('A command whose output nobody reads any more ends without a word', async () => {
  const child = spawn(process.execPath, [built('cli'), 'completion', 'bash']);
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 0, said: '' });
});

describe('tenure plans check', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const NO_DATABASE = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };

  async function check(text: string, ...more: readonly string[]) {
    const file = join(folder, 'plans.yaml');
    await writeFile(file, text);
    return tenure(['plans', 'check', file, ...more], NO_DATABASE);
  }

  it('says what a good file has, as the service would read it', async () => {
    const good = 'default: free\nplans:\n  free: { rank: 0, role: free }\n';
    const { hash } = parsePlanFile(good, 'x');
    expect(await check(good)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining(`plans free; add-ons none; hash ${hash}`),
    });
    expect(JSON.parse((await check(good, '--json')).out)).toEqual({ ok: true, hash, faults: [] });
  });

  it('tells every fault with its line, and ends with 1', async () => {
    const bad = 'default: gone\nplans:\n  free: { rank: 0 }\n';
    const told = await check(bad);
    expect(told).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^plans\.yaml:\d+: /) });
    const { out, code } = await check(bad, '--json');
    expect([code, JSON.parse(out)]).toEqual([
      1,
      { ok: false, hash: null, faults: told.err.trim().split('\n') },
    ]);
    const none = join(folder, 'none.yaml');
    expect(await tenure(['plans', 'check', none])).toMatchObject({
      code: 1,
      err: `${none}: there is no such file\n`,
    });
  });
});
