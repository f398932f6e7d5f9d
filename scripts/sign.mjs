/**
 * `npm run --silent sign -- event.json`: prints the curl that delivers a file as Stripe would, signed now with the first
 * secret of STRIPE_WEBHOOK_SECRET (Stripe: "Verify webhook signatures"). `--header` prints the Stripe-Signature alone,
 * `--url` names another endpoint than the one of this machine.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE =
  'usage: npm run --silent sign -- event.json [--header] [--url http://localhost:3000/webhooks/stripe]';
/** sysexits.h: called wrongly; a file that cannot be read; a setting is missing. */
const [EX_USAGE, EX_NOINPUT, EX_CONFIG] = [64, 66, 78];

/** @returns {never} */
function refuse(line, code) {
  process.stderr.write(`sign: ${line}\n`);
  process.exit(code);
}

function called() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { header: { type: 'boolean', default: false }, url: { type: 'string' } },
    });
  } catch (error) {
    return refuse(`${error.message}\n${USAGE}`, EX_USAGE);
  }
}

/** The bytes that curl will send. */
function bytesOf(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    return refuse(`${file}: cannot be read (${error.code})`, EX_NOINPUT);
  }
}

/** A word that a POSIX shell takes as it is. */
function quoted(word) {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const { values, positionals } = called();
const [file] = positionals;
if (file === undefined || positionals.length > 1) refuse(USAGE, EX_USAGE);
const [secret] = (process.env.STRIPE_WEBHOOK_SECRET ?? '').split(',');
if (secret.trim() === '')
  refuse('STRIPE_WEBHOOK_SECRET is missing, must be the secret of the service', EX_CONFIG);

const seconds = Math.floor(Date.now() / 1000);
const hmac = createHmac('sha256', secret.trim()).update(`${seconds}.`).update(bytesOf(file)).digest('hex');
const header = `Stripe-Signature: t=${seconds},v1=${hmac}`;
const url = values.url ?? `http://localhost:${process.env.PORT || 3000}/webhooks/stripe`;
const words = [
  'curl',
  '-sS',
  url,
  '-H',
  header,
  '-H',
  'Content-Type: application/json',
  '--data-binary',
  `@${file}`,
];
process.stdout.write(`${values.header ? header : words.map(quoted).join(' ')}\n`);
