import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import { timeOf } from '../../events/two-clocks.js';
import { explain } from '../../policy/reasons/explain.js';
import { textOf } from '../../projections/entitlements/user-row.js';
import { byFact, type ReasonWithEvents, withFound } from '../../projections/read-models/reason-events.js';
import type { CatalogHistory, PublishedInLog } from '../as-of/catalog-history.js';
import { UserFold } from '../as-of/user-fold.js';
import type { HistoryRow } from './history.reader.js';

/** What snapshots of one user are explained by: events and publications, both in the log's order. */
export interface Explainable {
  readonly userId: string;
  readonly events: readonly EventEnvelope[];
  readonly published: readonly PublishedInLog[];
  readonly catalogs: Pick<CatalogHistory, 'catalog'>;
}

/**
 * Why each of these snapshots held: each is judged again, by the running code, from what was folded when it came to hold.
 * `null` of one that is judged otherwise now, so that nothing is explained by reasons that were not its own.
 * @returns by `seq`
 */
export async function reasonsOf(
  rows: readonly HistoryRow[],
  { userId, events, published, catalogs }: Explainable,
): Promise<ReadonlyMap<number, readonly ReasonWithEvents[] | null>> {
  const fold = new UserFold(userId);
  const found = byFact(events);
  const reasons = new Map<number, readonly ReasonWithEvents[] | null>();
  let next = 0;
  for (const row of [...rows].sort((a, b) => a.seq - b.seq)) {
    for (let event = events[next]; event !== undefined && wasKnown(event, timeOf(event), row); ) {
      await fold.add(event);
      next += 1;
      event = events[next];
    }
    const inForce = published.findLast((each) => wasKnown(each, each.recordedAt, row));
    if (inForce === undefined) {
      reasons.set(row.seq, null);
      continue;
    }
    const explained = explain(fold.facts(), await catalogs.catalog(inForce), row.from);
    const isTheSame = textOf(explained.entitlement) === JSON.stringify(row.snapshot);
    reasons.set(row.seq, isTheSame ? withFound(explained.reasons, found) : null);
  }
  return reasons;
}

/** Whether something of the log was folded when a snapshot came to hold: by its event, or by the clock at that instant. */
function wasKnown(
  { position }: { readonly position: string },
  at: number,
  { event, from }: HistoryRow,
): boolean {
  return event === null ? at <= from : comparePositions(position, event.position) <= 0;
}
