import type { Entitlement } from './entitlement.js';

/** What tokens and caches depend on, in the order in which differences are told. */
const ACCESS_PARTS = ['role', 'plan', 'status', 'features', 'limits'] as const;

/** The part of an entitlement that tokens and caches depend on. */
export type AccessPart = Pick<Entitlement, 'role' | 'plan' | 'status' | 'features' | 'limits'>;

/** Whether two entitlements allow the same: exactly then the revocation version stays (DESIGN 9). */
export function allowsTheSame(a: AccessPart, b: AccessPart): boolean {
  return ACCESS_PARTS.every((part) => isSame(a[part], b[part]));
}

/** The parts in which two entitlements allow something else; empty exactly when they allow the same. */
export function accessDifferences(a: AccessPart, b: AccessPart): readonly (keyof AccessPart)[] {
  return ACCESS_PARTS.filter((part) => !isSame(a[part], b[part]));
}

/** Whether two entitlements have the same text: told without making a text of what is easily seen to be the same. */
export function isSameEntitlement(a: Entitlement, b: Entitlement): boolean {
  return (
    a === b ||
    (allowsTheSame(a, b) &&
      a.subscriptionActive === b.subscriptionActive &&
      a.expiresAt === b.expiresAt &&
      a.cancelAt === b.cancelAt &&
      a.validUntil === b.validUntil &&
      isSame(a.pendingPayment, b.pendingPayment) &&
      isSame(a.source, b.source) &&
      isSame(a.unmappedPrices, b.unmappedPrices))
  );
}

/** Entitlements are built with their keys in one order, so equal texts are equal values. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || areSameTexts(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether both are lists of the same texts: told without making a text of either. */
function areSameTexts(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((each, nth) => typeof each === 'string' && each === b[nth]);
}
