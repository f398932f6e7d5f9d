import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StripeSignature } from './stripe-signature.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/sign.mjs', import.meta.url));
const SECRET = 'whsec_of_the_sign_script';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-sign-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function sign(args: readonly string[], secret = `${SECRET},whsec_of_another_year`) {
  const env = { PATH: process.env.PATH, STRIPE_WEBHOOK_SECRET: secret };
  return spawnSync(process.execPath, [SCRIPT, ...args], { cwd: folder, env, encoding: 'utf8' });
}

describe('The script `npm run sign`', () => {
  it("prints a header by which the service takes the bytes of the file for Stripe's", () => {
    writeFileSync(join(folder, 'event.json'), '{ "id": "evt_ü" }\n');
    const { stdout } = sign(['--header', 'event.json']);
    const header = stdout.trim().replace(/^Stripe-Signature: /, '');
    const body = readFileSync(join(folder, 'event.json'), 'utf8');
    expect(new StripeSignature([SECRET]).isValid(body, header)).toBe(true);
    expect(new StripeSignature([SECRET]).isValid(body.trim(), header)).toBe(false);
  });

  it('prints a curl that a shell can run, whatever the file is called', () => {
    const file = "it's an event.json";
    writeFileSync(join(folder, file), '{}');
    const { stdout } = sign([file, '--url', 'http://127.0.0.1:9/webhooks/stripe']);
    const echoed = spawnSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${stdout}`], {
      encoding: 'utf8',
    });
    const words = echoed.stdout.trim().split('\n');
    expect(words).toEqual([
      '-sS',
      'http://127.0.0.1:9/webhooks/stripe',
      '-H',
      expect.stringMatching(/^Stripe-Signature: t=\d+,v1=[0-9a-f]{64}$/),
      '-H',
      'Content-Type: application/json',
      '--data-binary',
      `@${file}`,
    ]);
  });

  it.each([
    ['without a file', [], SECRET, 64],
    ['with a file that is not there', ['none.json'], SECRET, 66],
    ['without a secret', ['event.json'], '', 78],
  ])('prints one line and no signature %s', (_, args, secret, code) => {
    const { stdout, stderr, status } = sign(args, secret);
    expect({ stdout, status }).toEqual({ stdout: '', status: code });
    expect(stderr).toMatch(/^(sign|usage): [^\n]+\n$/);
  });
});
