import { z } from 'zod';

/** Events within which what is newly set aside is counted against the limit. */
const WINDOW = 10_000;

/**
 * What a fold has set aside: how many streams, and how many users are marked for it. `recent` says at which of the events
 * folded (counted from 1) each stream or user was newly set aside by the code `code`, within the last 10,000.
 */
export const setAsideSummarySchema = z.strictObject({
  streams: z.number(),
  users: z.number(),
  code: z.string(),
  recent: z.array(z.number()),
});
export type SetAsideSummary = z.infer<typeof setAsideSummarySchema>;

export const NOTHING_SET_ASIDE: SetAsideSummary = { streams: 0, users: 0, code: '', recent: [] };

/** What counts against the limit at the event number `at` of a fold by `code`: other code begins anew. */
export function recentlySetAside(known: SetAsideSummary, code: string, at: number): readonly number[] {
  return known.code === code ? known.recent.filter((event) => event > at - WINDOW) : [];
}

/** The text of a summary as checkpoints keep it; `null` while nothing is set aside. */
export function summaryText({ streams, users, code, recent }: SetAsideSummary): string | null {
  const nothing = streams === 0 && users === 0 && recent.length === 0;
  return nothing ? null : JSON.stringify({ streams, users, code, recent });
}
