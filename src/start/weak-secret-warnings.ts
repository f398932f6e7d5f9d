import type { Settings } from '../config/settings.js';
import { weaknessOf } from '../config/weak-secrets.js';
import type { Logger } from '../observability/logger.js';

/**
 * Warns of secrets that are long enough and easily guessed all the same, without showing them. They do not stop the start: who has
 * such a key must first be able to change it, and what it sealed is opened by no other.
 */
export function warnOfWeakSecrets(
  { adminKeys, stripeWebhookSecrets }: Pick<Settings, 'adminKeys' | 'stripeWebhookSecrets'>,
  logger: Pick<Logger, 'warn'>,
): void {
  const named = [
    ['TENURE_ADMIN_KEY', adminKeys],
    ['STRIPE_WEBHOOK_SECRET', stripeWebhookSecrets],
  ] as const;
  for (const [setting, secrets] of named) {
    const [why] = secrets.flatMap((secret) => weaknessOf(secret) ?? []);
    if (why !== undefined) logger.warn(`${setting} is easily guessed: it ${why}`);
  }
}
