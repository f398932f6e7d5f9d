import { ProblemError } from '../http/problem.js';
import { type JsonObject, object } from '../stripe/translate/read-json.js';
import type { StripeSignature } from './stripe-signature.js';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The JSON object that a delivery is, once its signature was found good.
 * @throws ProblemError `malformed_json`, `invalid_signature`
 */
export function readDelivery(
  raw: Buffer,
  header: string | undefined,
  signature: Pick<StripeSignature, 'isValid'>,
): JsonObject {
  let text: string;
  try {
    text = UTF8.decode(raw);
  } catch (cause) {
    throw new ProblemError('malformed_json', 'The body is not UTF-8.', {}, { cause });
  }
  if (!signature.isValid(text, header)) {
    throw new ProblemError('invalid_signature', 'The Stripe-Signature header does not sign this body now.');
  }
  const body = object(parse(text));
  if (body === null) throw new ProblemError('malformed_json', 'The body is not a JSON object.');
  return body;
}

/**
 * Parses once. A key `__proto__`, which may stand in anybody's metadata, is a property like any other here: what is read is
 * read by name from own properties, and nothing of the body is assigned to another object.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new ProblemError('malformed_json', 'The body is not JSON that can be taken.', {}, { cause });
    }
    throw cause;
  }
}
