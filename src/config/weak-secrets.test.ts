import { randomBytes } from 'node:crypto';
import { weaknessOf } from './weak-secrets.js';

describe('A secret', () => {
  it.each([
    ['a'.repeat(36), 'has fewer than 6 different characters'],
    ['abab-abab-abab-abab-abab-abab-abab', 'has fewer than 6 different characters'],
    [`whsec_${'0'.repeat(32)}`, 'has fewer than 6 different characters'],
    ['0123456789abcdef0123456789abcdef', 'is one piece said over and over'],
    ['12345678901234567890123456789012', 'is one piece said over and over'],
    ['swordfish-swordfish-swordfish-swo', 'is one piece said over and over'],
    ['ChangeMe-before-you-go-live-0001', 'is a placeholder or an example'],
    ['please-replace-with-a-strong-value', 'is a placeholder or an example'],
    ['put-your-admin-key-here-now-1234567', 'is a placeholder or an example'],
    ['a-key-of-at-least-32-characters-0001', 'is a placeholder or an example'],
    ['whsec_test_secret', 'is a placeholder or an example'],
  ])('such as %s is weak', (secret, why) => {
    expect(weaknessOf(secret)).toBe(why);
  });

  it.each([
    'the-admin-key-of-the-workflow-0123456789',
    'whsec_of_the_workflow_0001',
    'whsec_0123456789abcdef',
    'correct horse battery staple, and so on',
  ])('such as %s is not', (secret) => {
    expect(weaknessOf(secret)).toBeNull();
  });

  it('of random bytes is not weak, however they are written', () => {
    for (let n = 0; n < 300; n += 1) {
      const bytes = randomBytes(24);
      for (const text of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')])
        expect([text, weaknessOf(text)]).toEqual([text, null]);
    }
  });
});
