import { z } from 'zod';
import type { ClaimReading } from '../events/user-id.js';
import { LOG_LEVELS, type LogLevel } from '../observability/log-levels.js';
import { NamedError } from '../observability/named-error.js';
import type { TracingSettings } from '../observability/tracing.js';
import { InvalidConnectionStringError, parseConnectionString } from './connection-string.js';

/** The environment cannot be used. `lines` name every fault at once, never a secret's value. */
export class InvalidSettingsError extends NamedError {
  readonly code = 'invalid_settings';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

const SECRET_LENGTH = 16;
const ADMIN_KEY_LENGTH = 32;

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

/** The names of DESIGN 14, each with its form and default. An empty value counts as unset. */
const environmentSchema = z.object({
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
  TENURE_ADMIN_KEY: setting(`a key of at least ${ADMIN_KEY_LENGTH} characters`)
    .min(ADMIN_KEY_LENGTH, `is too short, must have at least ${ADMIN_KEY_LENGTH} characters`)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces'),
  DATABASE_URL: url(/^postgres(ql)?:\/\//, 'a postgres:// URL').optional(),
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
  STRIPE_ACCOUNT: matching(/^acct_\w{1,250}$/, 'an account id, acct_…').optional(),
  READY_LAG_SECONDS: wholeNumber(86_400, 'seconds').default(10),
  WEBHOOK_SILENCE_MINUTES: wholeNumber(525_600, 'minutes').optional(),
  FAULT_LIMIT: matching(/^\d{1,5}$/, 'a whole number of streams or users from 0 to 99999')
    .transform(Number)
    .default(20),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(/^https?:\/\//, 'an http(s) URL').optional(),
  OTEL_TRACES_SAMPLER_ARG: matching(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, 'a number from 0 to 1')
    .transform(Number)
    .default(1),
  AUTH_JWKS_URL: url(/^https?:\/\//, 'an http(s) URL').optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
});

const storeSchema = environmentSchema.pick({
  DATABASE_URL: true,
  DATA_DIR: true,
  EVENTSTORE_URL: true,
  STREAM_PREFIX: true,
  FAULT_LIMIT: true,
});

/** DI token of the settings of this process. */
export const SETTINGS = Symbol('SETTINGS');

/** The settings of one process, typed and validated. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly logLevel: LogLevel;
  /** All accepted at once, for rotation. */
  readonly stripeWebhookSecrets: readonly string[];
  /** The mode whose events count. */
  readonly livemode: boolean;
  /** How to ask Stripe's API (`apiBase` `null`: Stripe's own); `null`: it is never asked. */
  readonly stripeApi: { readonly secretKey: string; readonly apiBase: string | null } | null;
  readonly adminKey: string;
  /** `null`: start the embedded server under `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** `null`: the log is kept in PostgreSQL, with the read models. */
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
  readonly plansFile: string;
  /** How user ids that Stripe's objects carry are found, and what they must match as a whole (`null`: anything). */
  readonly userIds: ClaimReading;
  /** The one account whose events count besides those that name none; `null`: no other. */
  readonly stripeAccount: string | null;
  /** Behind the log for longer than this, the health check says so. */
  readonly readyLagSeconds: number;
  /** Without a delivery of Stripe to any instance for longer than this, the health check says so; `null`: never. */
  readonly webhookSilenceMinutes: number | null;
  /** More streams and users newly set aside within 10,000 events stop the projection. */
  readonly faultLimit: number;
  /** Where traces go, and which part of them; `null`: nothing is traced. */
  readonly tracing: TracingSettings | null;
}

/** The settings that tell where the data is: all that a command which touches nothing else asks for. */
export type StoreSettings = Pick<
  Settings,
  'databaseUrl' | 'dataDir' | 'eventStoreUrl' | 'streamPrefix' | 'faultLimit'
>;

/**
 * Reads the settings of the stores alone.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadStoreSettings(environment: Environment): StoreSettings {
  const parsed = storeSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  const { data } = parsed;
  return {
    databaseUrl: data.DATABASE_URL ?? null,
    dataDir: data.DATA_DIR,
    eventStoreUrl: data.EVENTSTORE_URL ?? null,
    streamPrefix: data.STREAM_PREFIX,
    faultLimit: data.FAULT_LIMIT,
  };
}

/**
 * Reads the settings from an environment.
 * @throws InvalidSettingsError naming every missing or bad value and what it should be, all at once
 */
export function loadSettings(environment: Environment): Settings {
  const given = withoutEmpty(environment);
  const parsed = environmentSchema.safeParse(given);
  const faults = parsed.success ? [] : faultsOf(parsed.error);
  faults.push(...livemodeFaults(given), ...authFaults(given));
  if (!parsed.success || faults.length > 0) throw new InvalidSettingsError([...new Set(faults)]);
  const { data } = parsed;
  return {
    port: data.PORT,
    host: data.HOST,
    logLevel: data.LOG_LEVEL,
    stripeWebhookSecrets: data.STRIPE_WEBHOOK_SECRET,
    livemode: (data.STRIPE_LIVEMODE ?? modeOfKey(data.STRIPE_SECRET_KEY)) === 'true',
    stripeApi:
      data.STRIPE_SECRET_KEY === undefined
        ? null
        : { secretKey: data.STRIPE_SECRET_KEY, apiBase: data.STRIPE_API_BASE ?? null },
    adminKey: data.TENURE_ADMIN_KEY,
    databaseUrl: data.DATABASE_URL ?? null,
    dataDir: data.DATA_DIR,
    eventStoreUrl: data.EVENTSTORE_URL ?? null,
    streamPrefix: data.STREAM_PREFIX,
    plansFile: data.PLANS_FILE,
    userIds: { userIdMetadataKey: data.USER_ID_METADATA_KEY, userIdPattern: data.USER_ID_PATTERN ?? null },
    stripeAccount: data.STRIPE_ACCOUNT ?? null,
    readyLagSeconds: data.READY_LAG_SECONDS,
    webhookSilenceMinutes: data.WEBHOOK_SILENCE_MINUTES ?? null,
    faultLimit: data.FAULT_LIMIT,
    tracing:
      data.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? null
        : { endpoint: data.OTEL_EXPORTER_OTLP_ENDPOINT, part: data.OTEL_TRACES_SAMPLER_ARG },
  };
}

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

type Environment = Readonly<Record<string, string | undefined>>;

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
}

/** Stripe's keys say their mode. */
function modeOfKey(key: string | undefined): 'true' | 'false' | null {
  const mode = /^(?:sk|rk)_(live|test)_/.exec(key ?? '')?.[1];
  if (mode === undefined) return null;
  return mode === 'live' ? 'true' : 'false';
}

function livemodeFaults({ STRIPE_LIVEMODE, STRIPE_SECRET_KEY }: Environment): readonly string[] {
  const told = modeOfKey(STRIPE_SECRET_KEY);
  if (STRIPE_LIVEMODE === undefined) {
    return told === null
      ? ['STRIPE_LIVEMODE is missing, must be true or false (or set STRIPE_SECRET_KEY, which tells)']
      : [];
  }
  const said = STRIPE_LIVEMODE === 'true' || STRIPE_LIVEMODE === 'false'; // else the schema has its line
  return said && told !== null && told !== STRIPE_LIVEMODE
    ? [
        `STRIPE_LIVEMODE must agree with STRIPE_SECRET_KEY, which is of ${told === 'true' ? 'live' : 'test'} mode`,
      ]
    : [];
}

function authFaults(environment: Environment): readonly string[] {
  const names = ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'];
  const missing = names.filter((name) => environment[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return [];
  return missing.map((name) => `${name} is missing: ${names.join(', ')} are set together or not at all`);
}
