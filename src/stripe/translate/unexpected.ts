import type { DomainEvent } from '../../events/event-types.js';
import { isKnownDisputeStatus } from '../../policy/disputes.js';
import { isKnownStatus } from '../../policy/subscription-statuses.js';

/**
 * What a recorded event says that is taken as it is and yet may surprise: a status that we do not know gives no access
 * (DESIGN 5.6), and one of a dispute takes nothing; of a list that Stripe cut only a part is judged.
 */
export interface Unexpected {
  readonly kind: 'unknown_status' | 'unknown_dispute_status' | 'cut_items' | 'cut_lines';
  /** The status, or the object whose list was cut. */
  readonly subject: string;
}

/** What is unexpected in an event; a function of the event alone. */
export function unexpectedIn({ data }: DomainEvent): readonly Unexpected[] {
  if ('itemsTruncated' in data) {
    return [
      ...(isKnownStatus(data.status) ? [] : [{ kind: 'unknown_status', subject: data.status } as const]),
      ...(data.itemsTruncated ? [{ kind: 'cut_items', subject: data.subscription } as const] : []),
    ];
  }
  if ('dispute' in data) {
    return isKnownDisputeStatus(data.status)
      ? []
      : [{ kind: 'unknown_dispute_status', subject: data.status }];
  }
  return 'linesTruncated' in data && data.linesTruncated
    ? [{ kind: 'cut_lines', subject: data.invoice }]
    : [];
}
