import type { SimulatedClock } from './clock.js';
import type { Ids } from './ids.js';
import { Table } from './table.js';
import type { EventType } from './types.js';

/** The newest version that the pinned SDK speaks; events and answers have its shape. */
export const API_VERSION = '2026-10-28.endive';

/** Anything of Stripe's with a name of its kind. */
export interface StripeObject {
  readonly id?: string | undefined;
  readonly object: string;
}

/** The request that caused an event: `null` fields when time did. */
export interface Cause {
  readonly id: string | null;
  readonly idempotency_key: string | null;
}

export const BY_ITSELF: Cause = { id: null, idempotency_key: null };

/** Count of endpoints that an event goes to, of those that have not taken it yet, and whether one never did. */
export interface Deliveries {
  readonly endpoints: number;
  readonly pending: number;
  readonly failed: boolean;
}

/** An event as it happened. `object` is never changed in place, so it stays what it was. */
export interface EventRow {
  readonly id: string;
  /** The thin event of the same happening. */
  readonly thinId: string;
  readonly type: EventType;
  /** Unix seconds. */
  readonly created: number;
  readonly object: StripeObject;
  readonly previous: object | null;
  readonly cause: Cause;
  readonly deliveries: Deliveries;
}

/** Seconds for which Stripe keeps events ("List all events": up to 30 days). */
const KEPT_SECONDS = 30 * 86_400;

/** Everything that has happened in the last 30 days, oldest first, and who listens. */
export class Events {
  readonly rows = new Table<EventRow, 'object' | 'thin'>({
    object: (row) => row.object.id,
    thin: (row) => row.thinId,
  });
  readonly #listeners: ((row: EventRow) => void)[] = [];
  /** The request under way. */
  cause: Cause = BY_ITSELF;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly ids: Ids,
  ) {}

  /** Hears of every event right when it happens. */
  listen(listener: (row: EventRow) => void): void {
    this.#listeners.push(listener);
  }

  /** Records an event about `object` as it is now; `created` in seconds of the clock that the object lives by. */
  emit(type: EventType, object: StripeObject, previous: object | null, created: number): EventRow {
    const row: EventRow = {
      id: this.ids.next('evt'),
      thinId: `evt_test_${this.ids.letters(30)}`,
      type,
      created,
      object,
      previous,
      cause: this.cause,
      deliveries: { endpoints: 0, pending: 0, failed: false },
    };
    this.rows.put(row);
    this.#forgetOld();
    for (const listener of this.#listeners) listener(row);
    return row;
  }

  #forgetOld(): void {
    for (let row = this.rows.oldest; row !== undefined; row = this.rows.oldest) {
      if (row.created >= this.clock.now - KEPT_SECONDS) return;
      this.rows.remove(row.id);
    }
  }
}

/** The event as v1 shows and posts it: a snapshot. */
export function snapshotEvent(row: EventRow): object {
  return {
    id: row.id,
    object: 'event',
    api_version: API_VERSION,
    created: row.created,
    data: { object: row.object, ...(row.previous === null ? {} : { previous_attributes: row.previous }) },
    livemode: false,
    pending_webhooks: row.deliveries.pending,
    request: row.cause,
    type: row.type,
  };
}

/** The event as v2 shows and posts it: thin, with the object's address alone (Stripe: "Thin events"). */
export function thinEvent(row: EventRow): object {
  const { id, object } = row.object;
  const path = PATHS[object] ?? `${object.replaceAll('.', '/')}s`;
  return {
    id: row.thinId,
    object: 'v2.core.event',
    context: null,
    created: new Date(row.created * 1_000).toISOString(),
    livemode: false,
    reason:
      row.cause.id === null
        ? null
        : {
            type: 'request',
            request: { id: row.cause.id, idempotency_key: row.cause.idempotency_key ?? '' },
          },
    related_object: id === undefined ? null : { id, type: object, url: `/v1/${path}/${id}` },
    snapshot_event: row.id,
    type: `v1.${row.type}`,
  };
}

/** Where objects are found whose address is not their name and an `s`. */
const PATHS: Readonly<Record<string, string>> = {
  'billing_portal.configuration': 'billing_portal/configurations',
  'billing_portal.session': 'billing_portal/sessions',
  'checkout.session': 'checkout/sessions',
  'entitlements.active_entitlement_summary': 'entitlements/active_entitlement_summaries',
  'test_helpers.test_clock': 'test_helpers/test_clocks',
};
