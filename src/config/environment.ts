import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from '../observability/log-levels.js';
import { InvalidConnectionStringError, parseConnectionString } from './connection-string.js';

const SECRET_LENGTH = 16;
const ADMIN_KEY_LENGTH = 32;
/** Threads of a rebuild where nothing is said: one core is left to PostgreSQL and to whoever is served. */
const REBUILD_THREADS = Math.max(1, Math.min(availableParallelism() - 1, 4));
/** What begins as an address does: a mirror at one of another kind, such as s3://, would become a folder of that name. */
const ADDRESS = /^[a-z][a-z\d+.-]*:\/\//i;
const ORIGINS = 'origins such as https://app.example.com, comma-separated, each exact, with no path and no *';

const setting = (expected: string) => z.string({ error: `is missing, must be ${expected}` });
const matching = (pattern: RegExp, expected: string) =>
  setting(expected).regex(pattern, `must be ${expected}`);
const url = (pattern: RegExp, expected: string) =>
  matching(pattern, expected).refine((value) => URL.canParse(value), `must be ${expected}`);

const wholeNumber = (most: number, unit: string) => {
  const expected = `a whole number of ${unit} from 1 to ${most}`;
  return matching(/^[1-9]\d{0,8}$/, expected)
    .transform(Number)
    .refine((number) => number <= most, `must be ${expected}`);
};

/** Whether a text is an origin as browsers write it: scheme, host and port, in lower case, no port where it is the usual one. */
const isWebOrigin = (text: string): boolean =>
  /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;

/** The names of DESIGN 14, each with its form and default. An empty value counts as unset. */
export const environmentSchema = z.object({
  SMTP_URL: url(/^smtps?:\/\//, 'an smtp:// or smtps:// URL').optional(),
  MAIL_FROM: matching(/^[^\r\n]*@[^\r\n]*$/, 'an address, such as Example <billing@example.com>').optional(),
  MAIL_TEMPLATES: z.string().optional(),
  WEBHOOKS_ALLOW_PRIVATE: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default('false')
    .transform((text) => text === 'true'),
  PORT: matching(/^\d{1,5}$/, 'a port from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a port from 0 to 65535')
    .default(3000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  STRIPE_WEBHOOK_SECRET: setting('the signing secret of the webhook endpoint (several: comma-separated)')
    .transform((value) => value.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.every((secret) => secret.length >= SECRET_LENGTH),
      `must be secrets of at least ${SECRET_LENGTH} characters each, comma-separated`,
    ),
  STRIPE_LIVEMODE: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
  STRIPE_SECRET_KEY: matching(
    /^(sk|rk)_(live|test)_\w+$/,
    'a secret or restricted key of Stripe (sk_live_…, sk_test_…, rk_…)',
  ).optional(),
  STRIPE_API_BASE: url(
    /^https?:\/\/[^/?#@]+\/?$/,
    'an http(s) URL of scheme, host and port alone',
  ).optional(),
  STRIPE_REQUESTS_PER_SECOND: wholeNumber(10_000, 'requests').default(25),
  RECONCILE_EVERY_HOURS: matching(/^(?:0|[1-9]\d{0,3})$/, 'a whole number of hours from 0 to 9999')
    .transform(Number)
    .default(24),
  TENURE_ADMIN_KEY: setting(`a key of at least ${ADMIN_KEY_LENGTH} characters (several: comma-separated)`)
    .transform((value) => value.split(',').map((key) => key.trim()))
    .refine(
      (keys) => keys.every((key) => key.length >= ADMIN_KEY_LENGTH),
      `is too short, must have at least ${ADMIN_KEY_LENGTH} characters (of several, comma-separated, each)`,
    )
    .refine(
      (keys) => keys.every((key) => /^[\x21-\x7e]*$/.test(key)),
      'must be printable ASCII without spaces',
    )
    .pipe(z.tuple([z.string()], z.string())),
  DATABASE_URL: url(/^postgres(ql)?:\/\//, 'a postgres:// URL').optional(),
  REDIS_URL: url(/^rediss?:\/\//, 'a redis:// or rediss:// URL').optional(),
  DATA_DIR: z.string().default('.tenure'),
  EVENTSTORE_URL: z
    .string()
    .superRefine((value, context) => {
      const fault = connectionStringFault(value);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    })
    .optional(),
  STREAM_PREFIX: matching(/^[\w.-]{0,50}$/, 'up to 50 letters, digits and . _ -').default('tenure.'),
  PLANS_FILE: z.string().default('plans.yaml'),
  USER_ID_METADATA_KEY: matching(/^[^[\]]{1,40}$/, 'a metadata key of 1 to 40 characters').default('user_id'),
  USER_ID_PATTERN: z
    .string()
    .transform((text, context) => {
      try {
        return new RegExp(`^(?:${text})$`, 'u');
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a regular expression' });
        return z.NEVER;
      }
    })
    .optional(),
  USER_ID_PSEUDONYMS: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default('false')
    .transform((text) => text === 'true'),
  USER_ID_EMAIL: z
    .enum(['warn', 'refuse', 'allow'], { error: 'must be warn, refuse or allow' })
    .default('warn'),
  STRIPE_ACCOUNT: matching(/^acct_\w{1,250}$/, 'an account id, acct_…').optional(),
  CHECKOUT_URL_ORIGINS: setting('origins such as https://app.example.com, comma-separated')
    .transform((value) => value.split(',').map((origin) => origin.trim()))
    .refine(
      (origins) => origins.every(isWebOrigin),
      'must be origins such as https://app.example.com (scheme, host and port alone), comma-separated',
    )
    .optional(),
  READY_LAG_SECONDS: wholeNumber(86_400, 'seconds').default(10),
  WEBHOOK_SILENCE_MINUTES: wholeNumber(525_600, 'minutes').optional(),
  FAULT_LIMIT: matching(/^\d{1,5}$/, 'a whole number of streams or users from 0 to 99999')
    .transform(Number)
    .default(20),
  REBUILD_THREADS: wholeNumber(16, 'threads').default(REBUILD_THREADS),
  STREAMS_MAX: wholeNumber(100_000, 'streams').default(5_000),
  STREAMS_PER_USER: wholeNumber(1_000, 'streams').default(20),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(/^https?:\/\//, 'an http(s) URL').optional(),
  OTEL_TRACES_SAMPLER_ARG: matching(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, 'a number from 0 to 1')
    .transform(Number)
    .default(1),
  AUTH_JWKS_URL: url(/^https?:\/\//, 'an http(s) URL').optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_USER_CLAIM: z.string().max(255, 'must be the name of a claim').default('sub'),
  TOKEN_ISSUER: z.string().max(255, 'must have at most 255 characters').default('tenure'),
  TOKEN_ALGORITHM: z.enum(['EdDSA', 'ES256'], { error: 'must be EdDSA or ES256' }).default('EdDSA'),
  TOKEN_SECONDS: wholeNumber(3_600, 'seconds').default(300),
  AUDIT_ORIGIN: matching(
    /^[\x21-\x2a\x2c-\x7e]{1,200}$/,
    'a name of up to 200 characters without spaces and plus signs, such as example.com/audit/log',
  ).optional(),
  AUDIT_EVERY_SECONDS: wholeNumber(86_400, 'seconds').default(60),
  AUDIT_MIRROR: z
    .string()
    .refine(
      (place) =>
        !ADDRESS.test(place) || (/^https?:/.test(place) && URL.canParse(place) && !place.includes('?')),
      'must be a folder, or an http(s) URL without a query that takes PUT',
    )
    .optional(),
  AUDIT_WITNESSES: z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((witness) => witness.trim())
        .filter((witness) => witness !== ''),
    )
    .refine(
      (witnesses) =>
        witnesses.every((witness) => /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+ https?:\/\/\S+$/.test(witness)),
      'must be verifier keys, each with a space and an http(s) address behind it, comma-separated',
    ),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    )
    .refine((origins) => origins.every(isWebOrigin), `must be ${ORIGINS}`),
});

/** What is wrong with a connection string, `null` when nothing is. Never shows the string, which has a password. */
export function connectionStringFault(text: string): string | null {
  try {
    parseConnectionString(text);
    return null;
  } catch (error) {
    if (error instanceof InvalidConnectionStringError) return error.message;
    throw error;
  }
}
