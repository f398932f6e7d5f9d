import type { z } from 'zod';
import {
  type ClaimReading,
  type KeptUserIds,
  PSEUDONYM,
  withoutAddresses,
  withoutPseudonyms,
} from '../events/user-id.js';
import type { LogLevel } from '../observability/log-levels.js';
import { NamedError } from '../observability/named-error.js';
import type { TracingSettings } from '../observability/tracing.js';
import { environmentSchema } from './environment.js';

/** The environment cannot be used. `lines` name every fault at once, never a secret's value. */
export class InvalidSettingsError extends NamedError {
  readonly code = 'invalid_settings';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** DI token of the settings of this process. */
export const SETTINGS = Symbol('SETTINGS');

/** How to ask Stripe's API: `apiBase` `null` is Stripe's own; `perSecond` requests to one of its endpoints, of this process. */
export interface StripeApiSettings {
  readonly secretKey: string;
  readonly apiBase: string | null;
  readonly perSecond: number;
}

/** How e-mails go out: by which server, from whom, and the folder of their templates, `null`: those that are shipped. */
export interface MailSettings {
  readonly smtpUrl: string;
  readonly from: string;
  readonly templates: string | null;
}

/** The settings of one process, typed and validated. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly logLevel: LogLevel;
  /** All accepted at once, for rotation. */
  readonly stripeWebhookSecrets: readonly string[];
  /** The mode whose events count. */
  readonly livemode: boolean;
  /** How to ask Stripe's API; `null`: it is never asked. */
  readonly stripeApi: StripeApiSettings | null;
  /** Hours between two reconciliations with Stripe that nobody asked for; 0: never. */
  readonly reconcileEveryHours: number;
  /** All valid; the first seals what is kept secret in PostgreSQL, any opens it. */
  readonly adminKeys: readonly [string, ...string[]];
  /** `null`: start the embedded server under `dataDir`. */
  readonly databaseUrl: string | null;
  /** The cache that instances share; `null`: they share none. */
  readonly redisUrl: string | null;
  readonly dataDir: string;
  /** `null`: the log is kept in PostgreSQL, with the read models. */
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
  readonly plansFile: string;
  /**
   * How user ids that Stripe's objects carry are found, and what they must match as a whole inside (`null`: anything), where
   * they may be pseudonyms.
   */
  readonly userIds: ClaimReading;
  /** Your own user ids, as they come and go. */
  readonly ownUserIds: OwnUserIdSettings;
  /** The one account whose events count besides those that name none; `null`: no other. */
  readonly stripeAccount: string | null;
  /** Origins that a checkout or the portal may send a browser back to; none: nothing can be bought through Tenure. */
  readonly checkoutUrlOrigins: readonly string[];
  /** Behind the log for longer than this, the health check says so. */
  readonly readyLagSeconds: number;
  /** Time without a delivery of Stripe to any instance after which the health check says so; `null`: never. */
  readonly webhookSilenceMinutes: number | null;
  /** More streams and users newly set aside within 10,000 events stop the projection. */
  readonly faultLimit: number;
  /** Threads that fold a rebuild. */
  readonly rebuildThreads: number;
  /** Where outgoing webhooks may go: to addresses of the public internet, or to any. */
  readonly webhookAddresses: 'public' | 'any';
  /** How e-mails go out; `null`: none do. */
  readonly mail: MailSettings | null;
  /** Where traces go, and which part of them; `null`: nothing is traced. */
  readonly tracing: TracingSettings | null;
  /** Whose tokens of end users count; `null`: nobody's. */
  readonly userTokens: UserTokenSettings | null;
  /** What entitlement tokens say and how they are signed. */
  readonly tokens: TokenSettings;
  /** Checkpoints of the log. */
  readonly audit: AuditSettings;
  /** Streams and waits that one instance holds open at once: in all, and of one user. */
  readonly streams: { readonly max: number; readonly perUser: number };
  /** Origins whose browsers may call, exact; empty: none. */
  readonly corsOrigins: readonly string[];
}

/**
 * How user ids are kept in the log, what one must match as a whole as it comes (`null`: anything), and what is done about one
 * that looks like an address of an e-mail.
 */
export interface OwnUserIdSettings {
  readonly kept: KeptUserIds;
  readonly pattern: RegExp | null;
  readonly email: 'warn' | 'refuse' | 'allow';
}

/**
 * The name of the log in its checkpoints, `null`: one by chance; the seconds between two; where a copy is kept,
 * `null`: nowhere; and who is asked to sign, too, each as a verifier key, a space and an address.
 */
export interface AuditSettings {
  readonly origin: string | null;
  readonly everySeconds: number;
  readonly mirror: string | null;
  readonly witnesses: readonly string[];
}

/** Entitlement tokens: who they say made them, how they are signed, and the seconds that they live at most. */
export interface TokenSettings {
  readonly issuer: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly seconds: number;
}

/** The identity provider of the application: where its keys are, and what its tokens must say. */
export interface UserTokenSettings {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** The claim that is the user id. */
  readonly userClaim: string;
}

/**
 * Reads the settings from an environment.
 * @throws InvalidSettingsError naming every missing or bad value and what it should be, all at once
 */
export function loadSettings(environment: Environment): Settings {
  const given = withoutEmpty(environment);
  const parsed = environmentSchema.safeParse(given);
  const faults = parsed.success ? [] : faultsOf(parsed.error);
  faults.push(...livemodeFaults(given), ...mailFaults(given), ...authFaults(given));
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
        : {
            secretKey: data.STRIPE_SECRET_KEY,
            apiBase: data.STRIPE_API_BASE ?? null,
            perSecond: data.STRIPE_REQUESTS_PER_SECOND,
          },
    reconcileEveryHours: data.RECONCILE_EVERY_HOURS,
    adminKeys: data.TENURE_ADMIN_KEY,
    databaseUrl: data.DATABASE_URL ?? null,
    redisUrl: data.REDIS_URL ?? null,
    dataDir: data.DATA_DIR,
    eventStoreUrl: data.EVENTSTORE_URL ?? null,
    streamPrefix: data.STREAM_PREFIX,
    plansFile: data.PLANS_FILE,
    ...userIdsOf(data),
    stripeAccount: data.STRIPE_ACCOUNT ?? null,
    checkoutUrlOrigins: data.CHECKOUT_URL_ORIGINS ?? [],
    readyLagSeconds: data.READY_LAG_SECONDS,
    webhookSilenceMinutes: data.WEBHOOK_SILENCE_MINUTES ?? null,
    faultLimit: data.FAULT_LIMIT,
    rebuildThreads: data.REBUILD_THREADS,
    webhookAddresses: data.WEBHOOKS_ALLOW_PRIVATE ? 'any' : 'public',
    mail:
      data.SMTP_URL === undefined || data.MAIL_FROM === undefined
        ? null
        : { smtpUrl: data.SMTP_URL, from: data.MAIL_FROM, templates: data.MAIL_TEMPLATES ?? null },
    tracing:
      data.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? null
        : { endpoint: data.OTEL_EXPORTER_OTLP_ENDPOINT, part: data.OTEL_TRACES_SAMPLER_ARG },
    userTokens: userTokensOf(data),
    tokens: { issuer: data.TOKEN_ISSUER, algorithm: data.TOKEN_ALGORITHM, seconds: data.TOKEN_SECONDS },
    audit: {
      origin: data.AUDIT_ORIGIN ?? null,
      everySeconds: data.AUDIT_EVERY_SECONDS,
      mirror: data.AUDIT_MIRROR ?? null,
      witnesses: data.AUDIT_WITNESSES,
    },
    streams: { max: data.STREAMS_MAX, perUser: data.STREAMS_PER_USER },
    corsOrigins: data.CORS_ORIGINS,
  };
}

/** How user ids are read: what is tested inside are pseudonyms, where they are kept. */
export function userIdsOf(
  data: Pick<
    z.infer<typeof environmentSchema>,
    'USER_ID_METADATA_KEY' | 'USER_ID_PATTERN' | 'USER_ID_PSEUDONYMS' | 'USER_ID_EMAIL'
  >,
): Pick<Settings, 'userIds' | 'ownUserIds'> {
  const kept = data.USER_ID_PSEUDONYMS ? 'pseudonyms' : 'as_they_are';
  const given =
    data.USER_ID_EMAIL === 'refuse' ? withoutAddresses(data.USER_ID_PATTERN) : (data.USER_ID_PATTERN ?? null);
  return {
    userIds: {
      userIdMetadataKey: data.USER_ID_METADATA_KEY,
      userIdPattern: kept === 'pseudonyms' ? PSEUDONYM : given,
    },
    ownUserIds: {
      kept,
      pattern: kept === 'pseudonyms' ? withoutPseudonyms(given) : given,
      email: data.USER_ID_EMAIL,
    },
  };
}

function userTokensOf(data: z.infer<typeof environmentSchema>): UserTokenSettings | null {
  const { AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = data;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return null;
  return { jwksUrl, issuer, audience, userClaim: data.AUTH_USER_CLAIM };
}

/** Settings as the process is given them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty value counts as unset. */
export function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** A line for each fault. */
export function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
}

/** Stripe's keys say their mode; `null`: of none of its keys. */
export function modeOfKey(key: string | undefined): 'true' | 'false' | null {
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

function mailFaults({ SMTP_URL, MAIL_FROM, MAIL_TEMPLATES }: Environment): readonly string[] {
  if (SMTP_URL !== undefined && MAIL_FROM === undefined) return ['MAIL_FROM is missing: SMTP_URL needs it'];
  const [unused] = Object.entries({ MAIL_FROM, MAIL_TEMPLATES }).filter(([, value]) => value !== undefined);
  return SMTP_URL === undefined && unused !== undefined
    ? [`SMTP_URL is missing: ${unused[0]} does nothing without it`]
    : [];
}

function authFaults(environment: Environment): readonly string[] {
  const names = ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'];
  const missing = names.filter((name) => environment[name] === undefined);
  const isAnyGiven = missing.length < names.length || environment.AUTH_USER_CLAIM !== undefined;
  if (missing.length === 0 || !isAnyGiven) return [];
  return missing.map((name) => `${name} is missing: ${names.join(', ')} are set together or not at all`);
}
