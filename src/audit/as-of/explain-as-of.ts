import { explain } from '../../policy/reasons/explain.js';
import { type ReasonWithEvents, withJudgedEvents } from '../../projections/read-models/reason-events.js';
import type { AsOf } from './user-as-of.js';

/**
 * Why the running code judges so what had happened and was known of a user at a moment (DESIGN 8 "Reasons"); of what was
 * served then these are the reasons that it has today.
 */
export async function reasonsAsOf({
  facts,
  events,
  catalog,
  moment,
}: AsOf): Promise<readonly ReasonWithEvents[]> {
  const { reasons } = explain(await facts(), catalog, moment.at);
  return withJudgedEvents(reasons, events);
}
