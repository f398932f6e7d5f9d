import { eventText } from '../../http/event-stream.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Teller } from '../../push/user-stream.js';

/** Where a ticket opens the stream that a bulk answer names. */
export const EVENT_STREAM_PATH = '/ofrep/v1/event-stream';

/** An entry of `eventStreams` (OFREP 0.3, "eventStream"): the path is taken at the origin that the provider calls. */
export function eventStreamOf(ticket: string) {
  return {
    type: 'sse',
    endpoint: { requestUri: `${EVENT_STREAM_PATH}?ticket=${ticket}` },
    inactivityDelaySec: 120,
  } as const;
}

/**
 * Tells that flags are to be fetched again (OFREP 0.3, "sseEvent"): once a stream begins, as nobody knows what its client has,
 * and with each snapshot that makes other flags. The `etag` comes back as `flagConfigEtag` of the request that follows, which
 * waits until what it says is read, on whatever instance.
 */
export const tellFlagChange: Teller = (_event, told, before) => {
  if (before !== null && !makesOtherFlags(before.served.snapshot, told.served.snapshot)) return null;
  return eventText('message', JSON.stringify({ type: 'refetchEvaluation', etag: told.id }), told.id);
};

function makesOtherFlags(before: Snapshot, after: Snapshot): boolean {
  return (
    before.revocationVersion !== after.revocationVersion ||
    before.faulted?.position !== after.faulted?.position
  );
}
