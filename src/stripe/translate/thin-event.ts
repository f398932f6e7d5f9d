import type { ObjectKind, StripeObjectRef } from '../gateway/object-kind.js';
import { field, id, type JsonObject, text } from './read-json.js';
import { type IgnoredReason, isHandledType, otherAccount } from './stripe-event.translator.js';

/** A thin event: it says what happened to which object and carries none of it (Stripe: "Event", API v2). */
export type ThinEvent =
  | {
      readonly outcome: 'to_fetch';
      readonly eventId: string;
      readonly type: string;
      /** The v1 event that stands for the same change; `null` where there is none. */
      readonly snapshot: string | null;
      /** The object that changed; `null` where it is of no kind that can be recorded. */
      readonly about: StripeObjectRef | null;
      readonly livemode: boolean | null;
    }
  | { readonly outcome: 'ignored'; readonly reason: IgnoredReason; readonly livemode: boolean | null }
  | { readonly outcome: 'malformed'; readonly problems: readonly string[] };

/** Kinds of objects by Stripe's names for them. */
const KINDS: ReadonlyMap<string, ObjectKind> = new Map([
  ['subscription', 'subscription'],
  ['invoice', 'invoice'],
  ['customer', 'customer'],
  ['checkout.session', 'checkout'],
  ['invoice_payment', 'invoice_payment'],
  ['charge', 'charge'],
  ['dispute', 'dispute'],
  ['radar.early_fraud_warning', 'early_fraud_warning'],
]);

export function isThinEvent(body: JsonObject): boolean {
  return body.object === 'v2.core.event';
}

/** Whether thin events of this type stand for a v1 type that is recorded (`v1.invoice.paid`). */
export function isHandledThinType(type: string): boolean {
  return type.startsWith('v1.') && isHandledType(type.slice('v1.'.length));
}

/**
 * Reads a thin event (DESIGN 5.7). Handled is a `v1.` type whose name behind that is handled, and every one about a
 * subscription. `account` is the one whose events count besides those that name none. Pure; never throws for JSON.
 */
export function readThinEvent(body: JsonObject, account: string | null): ThinEvent {
  const livemode = typeof body.livemode === 'boolean' ? body.livemode : null;
  const eventId = id(body.id);
  const type = text(body.type);
  if (eventId === null || type === null) {
    return malformed(
      ...(eventId === null ? ['id must be an id of 1 to 255 characters'] : []),
      ...(type === null ? ['type must be a string'] : []),
    );
  }
  const elsewhere = otherAccount(body, account);
  if (elsewhere !== null) return { outcome: 'ignored', reason: elsewhere, livemode };
  const related = text(field(body, 'related_object', 'type'));
  if (!isHandledThinType(type) && related !== 'subscription') {
    return { outcome: 'ignored', reason: 'unhandled_type', livemode };
  }
  const snapshot = id(body.snapshot_event);
  const object = id(field(body, 'related_object', 'id'));
  if (snapshot === null && object === null) {
    return malformed('snapshot_event or related_object.id must be an id');
  }
  const kind = KINDS.get(related ?? '');
  const about = kind === undefined || object === null ? null : { kind, id: object };
  return { outcome: 'to_fetch', eventId, type, snapshot, about, livemode };
}

function malformed(...problems: readonly string[]): ThinEvent {
  return { outcome: 'malformed', problems };
}
