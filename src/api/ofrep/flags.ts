import type { Limit, PlanCatalog } from '../../events/catalog.events.js';
import { keysOf, own } from '../../policy/catalog-keys.js';
import type { Faulted, Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Decisions } from '../entitlements/entitlements.service.js';
import type { FlagResponse, FlagsResponse } from './ofrep.schemas.js';

/** What stands for `unlimited`, of which no integer is: the greatest that every language of an SDK reads. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

type Metadata = NonNullable<FlagResponse['metadata']>;

/** One flag with why it is so; `null` where neither the catalogue nor the user has the key. Pure. */
export function flagOf(key: string, { snapshot, catalog, decide }: Decisions): FlagResponse | null {
  const flag = plainFlagOf(key, snapshot, catalog);
  if (flag === null) return null;
  const decision = decide(key, typeof flag.value === 'boolean' ? 1 : 0);
  const metadata: Metadata = { ...flag.metadata, plan: snapshot.plan, ...faultedOf(snapshot.faulted) };
  // Of a key that is both, the limit may say no where the feature is held.
  if (typeof flag.value !== 'boolean' || decision.allowed === flag.value) metadata.reason = decision.reason;
  if (decision.upgradeTo !== undefined) metadata.upgradeTo = decision.upgradeTo;
  if (typeof flag.value === 'number' && decision.used !== undefined) metadata.used = decision.used;
  return { ...flag, metadata };
}

/** Every feature and limit that the catalogue or the user has, by key. Pure: of one snapshot and catalogue the same text. */
export function flagsOf(snapshot: Snapshot, catalog: PlanCatalog): FlagsResponse {
  const { features, limits } = keysOf(catalog);
  const keys = new Set([...features, ...limits, ...snapshot.features, ...Object.keys(snapshot.limits)]);
  const flags = [...keys]
    .sort()
    .map((key) => plainFlagOf(key, snapshot, catalog))
    .filter((flag) => flag !== null);
  const { plan, role, status, revocationVersion: version, faulted } = snapshot;
  return { flags, metadata: { plan, role, status, version, ...faultedOf(faulted) } };
}

/** Of a key that is feature and limit, the feature. */
function plainFlagOf(key: string, snapshot: Snapshot, catalog: PlanCatalog): FlagResponse | null {
  const keys = keysOf(catalog);
  const isHeld = snapshot.features.includes(key);
  if (isHeld || keys.features.has(key)) {
    return { key, value: isHeld, reason: 'TARGETING_MATCH', variant: isHeld ? 'on' : 'off' };
  }
  const limit: Limit | null = own(snapshot.limits, key);
  if (limit === null && !keys.limits.has(key)) return null;
  const flag = {
    key,
    value: limit === 'unlimited' ? UNLIMITED : (limit ?? 0),
    reason: 'TARGETING_MATCH',
  } as const;
  return limit === 'unlimited' ? { ...flag, metadata: { unlimited: true } } : flag;
}

function faultedOf(faulted: Faulted | undefined): Metadata {
  if (faulted === undefined) return {};
  return { faulted: true, faultedSince: faulted.since, faultedPosition: faulted.position };
}
