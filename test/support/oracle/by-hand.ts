import type { Limit, PlanCatalog } from '../../../src/events/catalog.events.js';
import type { ByHandFacts, GrantFacts, OverrideFacts } from '../../../src/policy/facts.js';
import type { Limits } from './limits.js';
import type { Units } from './subscription-access.js';

/** A grant that holds, as far as the catalogue has what it names. `endsAt` is Unix milliseconds. */
export interface HeldGrant {
  readonly id: string;
  readonly planName: string | null;
  readonly addons: readonly Units[];
  readonly features: readonly string[];
  readonly limits: Limits;
  readonly endsAt: number | null;
}

/** DESIGN 8 "Grants": from the start, else when it was recorded, up to, not including, the end, unless revoked. */
export function grantsAt(
  byHand: ByHandFacts | undefined,
  catalog: PlanCatalog,
  now: number,
): readonly HeldGrant[] {
  const holding = (byHand?.grants ?? []).filter((grant) => grant.revoked === null && isWithin(grant, now));
  return holding.map(({ grant, issued: { data } }) => ({
    id: grant,
    planName: data.plan !== null && Object.keys(catalog.plans).includes(data.plan) ? data.plan : null,
    addons: Object.entries(catalog.addons).flatMap(([name, addon]) => {
      const quantity = Object.entries(data.addons).find(([given]) => given === name)?.[1];
      return quantity === undefined ? [] : [{ addon, quantity }];
    }),
    features: data.features.filter((key) => featuresIn(catalog).includes(key)),
    limits: Object.fromEntries(
      Object.entries(data.limits).filter(([key]) => limitsIn(catalog).includes(key)),
    ),
    endsAt: data.expiresAt === null ? null : Date.parse(data.expiresAt),
  }));
}

/** DESIGN 8 "Overrides": they come last. */
export function overriddenAt<Held extends { readonly features: string[]; readonly limits: Limits }>(
  held: Held,
  byHand: ByHandFacts | undefined,
  catalog: PlanCatalog,
  now: number,
): Held {
  let features = [...held.features];
  const limits: Limits = { ...held.limits };
  for (const override of byHand?.overrides ?? []) {
    if (override.removed !== null || isOver(override, now)) continue;
    const { key, value, add } = override.set.data;
    if (typeof value === 'boolean') {
      if (!featuresIn(catalog).includes(key)) continue;
      features = features.filter((feature) => feature !== key);
      if (value) features.push(key);
    } else if (limitsIn(catalog).includes(key)) {
      limits[key] = value ?? added(Object.hasOwn(limits, key) ? limits[key] : 0, add ?? 0);
    }
  }
  return { ...held, features: features.sort(), limits };
}

/** Instants at which a grant or an override begins or ends, Unix milliseconds. */
export function instantsByHand(byHand: ByHandFacts | undefined): readonly number[] {
  const of = (text: string | null): number[] => (text === null ? [] : [Date.parse(text)]);
  return [
    ...(byHand?.grants ?? []).flatMap(({ issued: { data, recordedAt } }) => [
      recordedAt,
      ...of(data.startsAt),
      ...of(data.expiresAt),
    ]),
    ...(byHand?.overrides ?? []).flatMap(({ set }) => of(set.data.expiresAt)),
  ];
}

function isWithin({ issued: { data, recordedAt } }: GrantFacts, now: number): boolean {
  const from = data.startsAt === null ? recordedAt : Date.parse(data.startsAt);
  return from <= now && (data.expiresAt === null || now < Date.parse(data.expiresAt));
}

function isOver({ set: { data } }: OverrideFacts, now: number): boolean {
  return data.expiresAt !== null && Date.parse(data.expiresAt) <= now;
}

/** `unlimited` absorbs; nothing falls below 0, and sums saturate. */
function added(limit: Limit | undefined, count: number): Limit {
  if (limit === 'unlimited') return limit;
  return Math.max(0, Math.min((limit ?? 0) + count, Number.MAX_SAFE_INTEGER));
}

function featuresIn({ plans, addons }: PlanCatalog): string[] {
  return [...Object.values(plans), ...Object.values(addons)].flatMap(({ features }) => features);
}

function limitsIn({ plans, addons }: PlanCatalog): string[] {
  const perUnit = Object.values(plans).flatMap((plan) => Object.keys(plan.perUnit));
  const fixed = [...Object.values(plans), ...Object.values(addons)].flatMap(({ limits }) =>
    Object.keys(limits),
  );
  return [...perUnit, ...fixed];
}
