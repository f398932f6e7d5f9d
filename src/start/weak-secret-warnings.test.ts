import { warnOfWeakSecrets } from './weak-secret-warnings.js';

describe('Secrets that are easily guessed', () => {
  function warnedOf(adminKeys: readonly [string, ...string[]], secret: string): readonly string[] {
    const lines: string[] = [];
    const logger = { warn: (line: unknown) => lines.push(String(line)) };
    warnOfWeakSecrets({ adminKeys, stripeWebhookSecrets: [secret] }, logger);
    return lines;
  }

  it('are told of at the start, a line for each setting, without what they are', () => {
    expect(warnedOf(['x7GdP2mQ9vLr4TzK8wYb3NcH6sFj1RaE', 'a'.repeat(36)], 'whsec_my_first_secret')).toEqual([
      'TENURE_ADMIN_KEY is easily guessed: it has fewer than 6 different characters',
      'STRIPE_WEBHOOK_SECRET is easily guessed: it is a placeholder or an example',
    ]);
  });

  it('are not those that chance made', () => {
    expect(warnedOf(['x7GdP2mQ9vLr4TzK8wYb3NcH6sFj1RaE'], 'whsec_5f1c9a7e3b2d4860')).toEqual([]);
  });
});
