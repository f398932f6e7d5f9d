/**
 * Minimum interval between partial batches, in milliseconds, so that bursts are coalesced. The first event after a silence is
 * applied at once.
 */
const COALESCE_MS = 20;
/**
 * It grows with the batch, by this much for each event: under a load of more than a thousand events a second, the twenty
 * statements of a small batch would cost the machine as much as its events. Milliseconds.
 */
const COALESCE_MS_AN_EVENT = 1;
const MOST_COALESCE_MS = 80;

/** How long after the begin of a partial batch of so many events the next may begin, in milliseconds. */
export function coalesceIntervalMs(events: number): number {
  return Math.min(MOST_COALESCE_MS, Math.max(COALESCE_MS, events * COALESCE_MS_AN_EVENT));
}
