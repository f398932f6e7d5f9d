import { parseSnapshot, type Snapshot } from '../browser/snapshot.js';
import { systemClock } from './clock.js';
import { askJson, TenureAnswerError } from './requests.js';
import { userPath } from './user-path.js';

/**
 * The snapshot of a user now, such as a page is rendered with: `initial` of `TenureProvider`. Rejects with TenureAnswerError,
 * TenureTimeoutError after five seconds, and what `fetch` throws.
 */
export async function readSnapshot(
  { url, key, fetch: given }: { readonly url: string; readonly key: string; readonly fetch?: typeof fetch },
  userId: string,
): Promise<Snapshot> {
  const ask: typeof fetch = given ?? ((input, init) => fetch(input, init));
  const connection = { url: url.replace(/\/+$/, ''), key, fetch: ask, clock: systemClock };
  const { response, body } = await askJson(connection, `${userPath(userId)}/entitlements`);
  if (body === null) {
    const what = `A snapshot was asked for, and answered by ${response.status}`;
    throw new TenureAnswerError(what, response.status);
  }
  return parseSnapshot(body);
}
