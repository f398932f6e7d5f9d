import { z } from 'zod';
import { EventStreamReader } from '../../packages/client/src/browser/event-stream.js';
import type { Asked } from './asked.js';

/** Entries that are told of the time before a page came. */
const MOST_ENTRIES = 20;

const history = z.looseObject({
  items: z.array(
    z.looseObject({
      from: z.string(),
      snapshot: z.looseObject({ plan: z.string(), status: z.string() }),
      cause: z.looseObject({ kind: z.string(), type: z.string().optional(), id: z.string().optional() }),
      reasons: z.array(z.looseObject({ of: z.string(), words: z.string() })).nullish(),
    }),
  ),
});

/** One entry of a user's audit: what held from then on, by which event, and the reasons in words. */
export interface WhyEntry {
  readonly id: string;
  /** RFC 3339. */
  readonly from: string;
  readonly plan: string;
  readonly status: string;
  readonly cause: string;
  readonly words: readonly string[];
}

/**
 * Tells the last entries of a user's audit, the oldest first, and then each that comes, as the user's stream says that there is
 * more. Ends with the stream. @throws Error where the service refuses
 */
export async function* whyOf(asked: Asked, userId: string, signal: AbortSignal): AsyncGenerator<WhyEntry> {
  const { body } = await answered(asked, `/v1/users/${userId}/entitlements/stream`, signal);
  const reader = new EventStreamReader();
  const decoder = new TextDecoder();
  const told = new Set<string>();
  for await (const piece of body ?? []) {
    if (reader.read(decoder.decode(piece, { stream: true })).length === 0) continue;
    for (const entry of await lastEntries(asked, userId, signal)) {
      if (told.has(entry.id)) continue;
      told.add(entry.id);
      yield entry;
    }
  }
}

async function lastEntries(asked: Asked, userId: string, signal: AbortSignal): Promise<readonly WhyEntry[]> {
  const path = `/v1/audit/users/${userId}/history?order=newest&explain=true&limit=${MOST_ENTRIES}`;
  const { items } = history.parse(await (await answered(asked, path, signal)).json());
  return items.reverse().map(({ from, snapshot: { plan, status }, cause, reasons }) => ({
    id: `${from} ${cause.id ?? cause.kind}`,
    from,
    plan,
    status,
    cause: cause.type ?? cause.kind,
    words: (reasons ?? []).flatMap(({ of, words }) =>
      ['plan', 'pendingPayment'].includes(of) ? [words] : [],
    ),
  }));
}

async function answered({ url, key }: Asked, path: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` }, signal });
  if (!answer.ok) throw new Error(`the service answered ${answer.status} to ${path}`);
  return answer;
}
