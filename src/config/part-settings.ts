import type { ClaimReading } from '../events/user-id.js';
import { environmentSchema } from './environment.js';
import {
  type AuditSettings,
  type Environment,
  faultsOf,
  InvalidSettingsError,
  modeOfKey,
  type Settings,
  type StripeApiSettings,
  type TokenSettings,
  userIdsOf,
  withoutEmpty,
} from './settings.js';

const storeSchema = environmentSchema.pick({
  DATABASE_URL: true,
  DATA_DIR: true,
  EVENTSTORE_URL: true,
  STREAM_PREFIX: true,
  FAULT_LIMIT: true,
});

const stripeApiSchema = environmentSchema.pick({
  STRIPE_SECRET_KEY: true,
  STRIPE_API_BASE: true,
  STRIPE_REQUESTS_PER_SECOND: true,
});

const claimSchema = environmentSchema.pick({
  USER_ID_METADATA_KEY: true,
  USER_ID_PATTERN: true,
  USER_ID_PSEUDONYMS: true,
  USER_ID_EMAIL: true,
});

const accountSchema = environmentSchema.pick({ STRIPE_ACCOUNT: true });

const tokenKeySchema = environmentSchema.pick({ TENURE_ADMIN_KEY: true, TOKEN_ALGORITHM: true });

const auditSchema = environmentSchema.pick({
  TENURE_ADMIN_KEY: true,
  AUDIT_ORIGIN: true,
  AUDIT_WITNESSES: true,
});

const outgoingSchema = environmentSchema.pick({ TENURE_ADMIN_KEY: true, WEBHOOKS_ALLOW_PRIVATE: true });

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
 * Reads how to ask Stripe's API, and the mode that its key is of.
 * @throws InvalidSettingsError as `loadSettings`, and where there is no key
 */
export function loadStripeApiSettings(
  environment: Environment,
): StripeApiSettings & { readonly livemode: boolean } {
  const given = withoutEmpty(environment);
  const parsed = stripeApiSchema.safeParse(given);
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE, STRIPE_REQUESTS_PER_SECOND } = parsed.data;
  if (secretKey === undefined) {
    throw new InvalidSettingsError(['STRIPE_SECRET_KEY is missing: it is what Stripe is asked with']);
  }
  return {
    secretKey,
    apiBase: STRIPE_API_BASE ?? null,
    perSecond: STRIPE_REQUESTS_PER_SECOND,
    livemode: modeOfKey(secretKey) === 'true',
  };
}

/**
 * Reads how user ids are found in what Stripe shows, and how they are kept.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadUserIds(environment: Environment): Pick<Settings, 'userIds' | 'ownUserIds'> {
  const parsed = claimSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  return userIdsOf(parsed.data);
}

/**
 * Reads how user ids are found in Stripe's events, and which account's count.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadTranslationOptions(
  environment: Environment,
): ClaimReading & { readonly account: string | null } {
  const parsed = accountSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  return { ...loadUserIds(environment).userIds, account: parsed.data.STRIPE_ACCOUNT ?? null };
}

/**
 * Reads what endpoints of outgoing webhooks need: the keys that seal their secrets, and where they may be.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadOutgoingSettings(
  environment: Environment,
): Pick<Settings, 'adminKeys' | 'webhookAddresses'> {
  const parsed = outgoingSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  const { TENURE_ADMIN_KEY: adminKeys, WEBHOOKS_ALLOW_PRIVATE: isAnyAllowed } = parsed.data;
  return { adminKeys, webhookAddresses: isAnyAllowed ? 'any' : 'public' };
}

/**
 * Reads the keys that seal what is kept secret.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadAdminKeys(environment: Environment): Settings['adminKeys'] {
  const parsed = environmentSchema.pick({ TENURE_ADMIN_KEY: true }).safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  return parsed.data.TENURE_ADMIN_KEY;
}

/**
 * Reads what a checkpoint of the log is signed with, by whom else, and under which name where it has none yet.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadSigningSettings(
  environment: Environment,
): Pick<Settings, 'adminKeys'> & Pick<AuditSettings, 'origin' | 'witnesses'> {
  const parsed = auditSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  const { TENURE_ADMIN_KEY: adminKeys, AUDIT_ORIGIN: origin, AUDIT_WITNESSES: witnesses } = parsed.data;
  return { adminKeys, origin: origin ?? null, witnesses };
}

/**
 * Reads what the keys of entitlement tokens are made with: the keys that seal them, and what they are of.
 * @throws InvalidSettingsError as `loadSettings`
 */
export function loadTokenKeySettings(
  environment: Environment,
): Pick<Settings, 'adminKeys'> & Pick<TokenSettings, 'algorithm'> {
  const parsed = tokenKeySchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw new InvalidSettingsError(faultsOf(parsed.error));
  return { adminKeys: parsed.data.TENURE_ADMIN_KEY, algorithm: parsed.data.TOKEN_ALGORITHM };
}
