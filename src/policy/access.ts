import type { EntitlementSource } from './entitlement.js';
import type { GrantAccess } from './grants.js';
import type { PurchaseAccess } from './purchases.js';
import type { SubscriptionAccess } from './subscription-access.js';

/** What one source of access gives at one instant: a subscription, a plan bought once and for good, or a grant. */
export type Access = SubscriptionAccess | PurchaseAccess | GrantAccess;

/** Whether an access is of a subscription. */
export function isOfSubscription(access: Access): access is SubscriptionAccess {
  return access.kind === 'subscription';
}

/** The id that tells a source from others, and breaks ties: of the subscription, of the session, or of the grant. */
export function idOf(access: Access): string {
  switch (access.kind) {
    case 'subscription':
      return access.subscriptionState.subscription;
    case 'purchase':
      return access.purchase.session;
    case 'grant':
      return access.grant.facts.grant;
  }
}

/** When what a source gives ends, as it is compared: no end is the latest, but of a subscription the earliest (DESIGN 8). */
export function comparedEndOf(access: Access): number {
  switch (access.kind) {
    case 'subscription':
      return access.periodEnd ?? -1;
    case 'purchase':
      return Number.POSITIVE_INFINITY;
    case 'grant':
      return access.periodEnd ?? Number.POSITIVE_INFINITY;
  }
}

/** The Unix second at which what a source gives ends, or is due again; `null`: never, or not known. */
export function endOf(access: Access): number | null {
  return access.kind === 'purchase' ? null : access.periodEnd;
}

/** The Unix second in which a source was observed last. */
export function seenAt(access: Access): number {
  switch (access.kind) {
    case 'subscription':
      return access.subscriptionState.newest.created;
    case 'purchase':
      return access.purchase.newest.created;
    case 'grant':
      return access.grant.facts.issued.recordedAt / 1000;
  }
}

/** How a snapshot names a source. */
export function sourceOf(access: Access): EntitlementSource {
  switch (access.kind) {
    case 'subscription': {
      const { subscription, customer } = access.subscriptionState;
      return { type: 'subscription', subscriptionId: subscription, customerId: customer };
    }
    case 'purchase': {
      const { session, customer } = access.purchase;
      return { type: 'purchase', sessionId: session, customerId: customer };
    }
    case 'grant':
      return { type: 'grant', grantId: idOf(access) };
  }
}
