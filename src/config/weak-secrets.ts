const FEWEST_CHARACTERS = 6;
/** What people put where a secret is to come, and the examples of these documents and of others. */
const PLACEHOLDER =
  /change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this|with)|placeholder|password|your[-_ ](?:\w+[-_ ])?(?:key|secret)|a-key-of-at-least|my_first_secret|test_secret|example/i;

/**
 * Why somebody could guess a secret, however long it is, in words that follow its name; `null` where nothing of that is seen. What
 * chance gives in hex, base64 or decimal is weak in less than one of a million cases, from 32 characters on.
 */
export function weaknessOf(secret: string): string | null {
  const own = secret.replace(/^whsec_/, '');
  if (new Set(own).size < FEWEST_CHARACTERS)
    return `has fewer than ${FEWEST_CHARACTERS} different characters`;
  if (isRepeated(own)) return 'is one piece said over and over';
  return PLACEHOLDER.test(secret) ? 'is a placeholder or an example' : null;
}

/** Whether a text is its beginning again and again, at least twice in whole; the last one may be cut off. */
function isRepeated(text: string): boolean {
  for (let length = 1; length <= text.length / 2; length += 1) {
    if (text.startsWith(text.slice(length))) return true;
  }
  return false;
}
