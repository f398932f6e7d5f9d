import type { Limit, PlanCatalog } from '../events/catalog.events.js';
import { keysOf } from './catalog-keys.js';
import type { OverrideFacts } from './facts.js';

/** What decides what an override does (DESIGN 8 "Overrides"), the first that fits. */
export type OverrideRule =
  | 'override_removed'
  | 'override_ended'
  | 'override_without_effect'
  | 'override_feature_on'
  | 'override_feature_off'
  | 'override_limit_value'
  | 'override_limit_add';

/** Effect of an override that is in force. */
export type OverrideEffect =
  | { readonly kind: 'feature'; readonly isOn: boolean }
  | { readonly kind: 'limit'; readonly value: Limit }
  | { readonly kind: 'limit'; readonly add: number };

/** An override at one instant; `effect` is `null` while it does nothing. */
export interface OverrideAccess {
  readonly facts: OverrideFacts;
  readonly rule: OverrideRule;
  readonly effect: OverrideEffect | null;
}

/** What an override does at an instant, Unix milliseconds: up to, not including, its end. */
export function overrideAt(facts: OverrideFacts, catalog: PlanCatalog, instant: number): OverrideAccess {
  const endsAt = endOfOverride(facts);
  if (facts.removed !== null) return { facts, rule: 'override_removed', effect: null };
  if (endsAt !== null && instant >= endsAt) return { facts, rule: 'override_ended', effect: null };
  const { features, limits } = keysOf(catalog);
  if (!(facts.kind === 'feature' ? features : limits).has(facts.key)) {
    return { facts, rule: 'override_without_effect', effect: null };
  }
  const { value, add } = facts.set.data;
  if (typeof value === 'boolean') {
    const rule = value ? 'override_feature_on' : 'override_feature_off';
    return { facts, rule, effect: { kind: 'feature', isOn: value } };
  }
  return value === null
    ? { facts, rule: 'override_limit_add', effect: { kind: 'limit', add: add ?? 0 } }
    : { facts, rule: 'override_limit_value', effect: { kind: 'limit', value } };
}

/** The instant (Unix milliseconds) at which an override ends by itself; `null`: never. */
export function endOfOverride({ set: { data } }: OverrideFacts): number | null {
  return data.expiresAt === null ? null : Date.parse(data.expiresAt);
}

/** Features once overrides are in force, in no order. */
export function featuresWith(
  overrides: readonly OverrideAccess[],
  features: Iterable<string>,
): ReadonlySet<string> {
  const held = new Set(features);
  for (const { facts, effect } of overrides) {
    if (effect?.kind !== 'feature') continue;
    if (effect.isOn) held.add(facts.key);
    else held.delete(facts.key);
  }
  return held;
}

/** Limits once overrides are in force. */
export function limitsWith(
  overrides: readonly OverrideAccess[],
  limits: ReadonlyMap<string, Limit>,
): ReadonlyMap<string, Limit> {
  const held = new Map(limits);
  for (const { facts, effect } of overrides) {
    if (effect?.kind === 'limit') held.set(facts.key, overridden(effect, limits.get(facts.key)));
  }
  return held;
}

/** A limit under an override: what nothing gives is 0, and nothing falls below that (DESIGN 8). */
export function overridden(
  effect: Extract<OverrideEffect, { kind: 'limit' }>,
  limit: Limit | undefined,
): Limit {
  if ('value' in effect) return effect.value;
  if (limit === 'unlimited') return limit;
  return Math.min(Math.max((limit ?? 0) + effect.add, 0), Number.MAX_SAFE_INTEGER);
}
