import { claimOf } from '../events/user-id.js';
import { InvalidSettingsError, loadSettings } from './settings.js';

const VALID = {
  STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef',
  STRIPE_LIVEMODE: 'false',
  TENURE_ADMIN_KEY: 'k'.repeat(32),
};

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof InvalidSettingsError) return error.lines;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have a default for everything but secrets and the mode', () => {
    expect(loadSettings(VALID)).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      livemode: false,
      databaseUrl: null,
      stripeApi: null,
      dataDir: '.tenure',
      streamPrefix: 'tenure.',
      readyLagSeconds: 10,
      webhookSilenceMinutes: null,
      tracing: null,
      audit: { origin: null, everySeconds: 60, mirror: null, witnesses: [] },
      streams: { max: 5_000, perUser: 20 },
    });
  });

  it('name everything that is missing at once', () => {
    const faults = faultsOf({});
    expect(faults).toHaveLength(3);
    for (const name of Object.keys(VALID)) {
      expect(faults).toContainEqual(expect.stringMatching(new RegExp(`^${name} is missing`)));
    }
  });

  it('take several webhook secrets, for rotation', () => {
    const secrets = loadSettings({
      ...VALID,
      STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef, whsec_fedcba9876543210',
    }).stripeWebhookSecrets;
    expect(secrets).toEqual(['whsec_0123456789abcdef', 'whsec_fedcba9876543210']);
  });

  it('learn the mode from the secret key', () => {
    const { STRIPE_LIVEMODE: _, ...rest } = VALID;
    expect(loadSettings({ ...rest, STRIPE_SECRET_KEY: 'sk_live_abc' }).livemode).toBe(true);
    expect(loadSettings({ ...rest, STRIPE_SECRET_KEY: 'rk_test_abc' }).livemode).toBe(false);
  });

  it('take limits for the health check', () => {
    expect(loadSettings({ ...VALID, READY_LAG_SECONDS: '60', WEBHOOK_SILENCE_MINUTES: '90' })).toMatchObject({
      readyLagSeconds: 60,
      webhookSilenceMinutes: 90,
    });
  });

  it('ask Stripe only with a key, at its own address unless another is named', () => {
    expect(loadSettings({ ...VALID, STRIPE_API_BASE: 'http://127.0.0.1:12111' }).stripeApi).toBeNull();
    const settings = { ...VALID, STRIPE_SECRET_KEY: 'rk_test_abc' };
    expect(loadSettings(settings).stripeApi).toEqual({
      secretKey: 'rk_test_abc',
      apiBase: null,
      perSecond: 25,
    });
    expect(loadSettings({ ...settings, STRIPE_API_BASE: 'http://127.0.0.1:12111' }).stripeApi?.apiBase).toBe(
      'http://127.0.0.1:12111',
    );
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an address of the API with a path', { STRIPE_API_BASE: 'http://h/v1' }, /^STRIPE_API_BASE must/],
    ['an address of the API with a key in it', { STRIPE_API_BASE: 'http://k@h' }, /^STRIPE_API_BASE must/],
    ['a publishable key', { STRIPE_SECRET_KEY: 'pk_test_abc' }, /^STRIPE_SECRET_KEY must/],
    ['test mode said of a live key', { STRIPE_SECRET_KEY: 'rk_live_abc' }, /is of live mode$/],
    [
      'live mode said of a test key',
      { STRIPE_LIVEMODE: 'true', STRIPE_SECRET_KEY: 'sk_test_abc' },
      /is of test mode$/,
    ],
    ['a weak admin key', { TENURE_ADMIN_KEY: 'short' }, /^TENURE_ADMIN_KEY is too short/],
    [
      'a weak admin key in a list',
      { TENURE_ADMIN_KEY: `${'k'.repeat(32)},` },
      /^TENURE_ADMIN_KEY is too short/,
    ],
    ['a weak webhook secret', { STRIPE_WEBHOOK_SECRET: 'whsec_1' }, /^STRIPE_WEBHOOK_SECRET must/],
    [
      'an empty secret in a list',
      { STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef,' },
      /^STRIPE_WEBHOOK_SECRET must/,
    ],
    ['an empty secret', { STRIPE_WEBHOOK_SECRET: '' }, /^STRIPE_WEBHOOK_SECRET is missing/],
    ['a port out of range', { PORT: '70000' }, /^PORT must/],
    ['a foreign database', { DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must/],
    ['another mode than the key', { STRIPE_SECRET_KEY: 'sk_live_abc' }, /^STRIPE_LIVEMODE must agree/],
    ['a mode that is neither', { STRIPE_LIVEMODE: 'yes' }, /^STRIPE_LIVEMODE must/],
    ['half of the identity provider', { AUTH_ISSUER: 'x' }, /^AUTH_JWKS_URL is missing/],
    ['a claim of no identity provider', { AUTH_USER_CLAIM: 'sub' }, /^AUTH_JWKS_URL is missing/],
    ['every origin', { CORS_ORIGINS: '*' }, /^CORS_ORIGINS must be origins/],
    ['an origin with a path', { CORS_ORIGINS: 'https://a.test/' }, /^CORS_ORIGINS must be origins/],
    [
      'an origin with the default port',
      { CORS_ORIGINS: 'https://a.test:443' },
      /^CORS_ORIGINS must be origins/,
    ],
    ['the origin of a file', { CORS_ORIGINS: 'https://a.test, null' }, /^CORS_ORIGINS must be origins/],
    ['a name of the log with a space', { AUDIT_ORIGIN: 'our log' }, /^AUDIT_ORIGIN must be a name/],
    ['a mirror with a query', { AUDIT_MIRROR: 'https://h/m?a=b' }, /^AUDIT_MIRROR must be a folder/],
    ['a mirror at an address of another kind', { AUDIT_MIRROR: 's3://bucket/log' }, /^AUDIT_MIRROR must/],
    ['a witness without an address', { AUDIT_WITNESSES: 'w+00000000+BAAA' }, /^AUDIT_WITNESSES must be/],
    ['mails from nobody', { SMTP_URL: 'smtp://mail.test' }, /^MAIL_FROM is missing/],
    ['mails by no server', { MAIL_FROM: 'a@b.test' }, /^SMTP_URL is missing/],
    ['mails by another way', { SMTP_URL: 'http://mail.test', MAIL_FROM: 'a@b.test' }, /^SMTP_URL must/],
    ['private addresses perhaps', { WEBHOOKS_ALLOW_PRIVATE: 'maybe' }, /^WEBHOOKS_ALLOW_PRIVATE must/],
    ['no streams at all', { STREAMS_MAX: '0' }, /^STREAMS_MAX must be a whole number of streams/],
    [
      'no thread for rebuilds',
      { REBUILD_THREADS: '0' },
      /^REBUILD_THREADS must be a whole number of threads/,
    ],
    ['no streams of a user', { STREAMS_PER_USER: '0' }, /^STREAMS_PER_USER must be a whole number/],
    ['no lag at all', { READY_LAG_SECONDS: '0' }, /^READY_LAG_SECONDS must be a whole number of seconds/],
    ['a lag of more than a day', { READY_LAG_SECONDS: '86401' }, /^READY_LAG_SECONDS must/],
    ['half a minute of silence', { WEBHOOK_SILENCE_MINUTES: '0.5' }, /^WEBHOOK_SILENCE_MINUTES must/],
    ['silence in words', { WEBHOOK_SILENCE_MINUTES: 'off' }, /^WEBHOOK_SILENCE_MINUTES must/],
    ['half an hour between reconciliations', { RECONCILE_EVERY_HOURS: '0.5' }, /^RECONCILE_EVERY_HOURS must/],
    ['another event store', { EVENTSTORE_URL: 'kafka://localhost' }, /^EVENTSTORE_URL must be esdb:/],
    ['an unknown option of it', { EVENTSTORE_URL: 'esdb://h?safe=yes' }, /^EVENTSTORE_URL has a parameter/],
  ])('refuse %s', (_, change, expected) => {
    expect(faultsOf({ ...VALID, ...change })).toContainEqual(expect.stringMatching(expected));
  });

  it.each([
    ['warn', 'false', 'ada@b.example'],
    ['warn', 'true', 'ada@b.example'],
    ['allow', 'false', 'ada@b.example'],
    ['allow', 'true', 'ada@b.example'],
    ['refuse', 'false', null],
    ['refuse', 'true', null],
  ])(
    'with USER_ID_EMAIL=%s and USER_ID_PSEUDONYMS=%s read a claim of an address as %j',
    (email, kept, claim) => {
      const { userIds, ownUserIds } = loadSettings({
        ...VALID,
        USER_ID_EMAIL: email,
        USER_ID_PSEUDONYMS: kept,
      });
      const own = { ...userIds, userIdPattern: ownUserIds.pattern };
      expect(claimOf('ada@b.example', own)).toBe(claim);
      expect(claimOf('ada', own)).toBe('ada');
    },
  );

  it('never show the value of a secret', () => {
    const faults = faultsOf({
      STRIPE_WEBHOOK_SECRET: 'hush',
      TENURE_ADMIN_KEY: 'hushhush',
      STRIPE_SECRET_KEY: 'hush-key',
      EVENTSTORE_URL: 'esdb://admin:hush/1@localhost',
    });
    expect(faults.join('\n')).not.toContain('hush');
  });
});
