import type { Limit } from '../../events/catalog.events.js';
import { type Combination, overriddenLimits } from '../combine.js';
import type { ByHandFact } from '../facts.js';
import type { Grant, GrantAccess } from '../grants.js';
import type { OverrideAccess } from '../overrides.js';
import { type Evidence, type Fact, type Reason, reasonOf } from './reason.js';

/** Why a grant gives what it gives. */
export function grantReason(access: GrantAccess): Reason {
  return reasonOf(`grant:${access.grant.facts.grant}`, access.rule, grantEvidence(access.grant));
}

/** Who granted what, from when until when, and who revoked it. */
export function grantEvidence({ facts, startsAt, endsAt, missing }: Grant): Evidence {
  const { grant, issued, revoked } = facts;
  const { plan, addons, features, limits, reason, actor } = issued.data;
  return {
    facts: {
      grant,
      plans: plan,
      addons,
      features,
      limits,
      reason,
      actor,
      issuedOn: instantText(issued.recordedAt),
      startsAt: instantText(startsAt),
      endsAt: endsAt === null ? null : instantText(endsAt),
      revoked: revoked === null ? null : takenBack(revoked),
      missing,
    },
    events: [issued.eventId, ...(revoked === null ? [] : [revoked.eventId])],
  };
}

/** Why an override does what it does, of all that the user has. */
export function overrideReason(override: OverrideAccess, combination: Combination): Reason {
  const { kind, key } = override.facts;
  return reasonOf(`override:${kind}:${key}`, override.rule, overrideEvidence(override, combination));
}

/** Who set what of a key, and what it makes of what is held without it. */
export function overrideEvidence(
  { facts }: OverrideAccess,
  { limits, overrides }: Pick<Combination, 'limits' | 'overrides'>,
): Evidence {
  const { kind, key, set, removed } = facts;
  const { value, add, expiresAt, reason, actor } = set.data;
  const without: Limit = limits.get(key)?.limit ?? 0;
  const ofLimit = { limit: overriddenLimits({ limits, overrides }).get(key) ?? null, without };
  return {
    facts: {
      key,
      kind,
      value,
      add,
      reason,
      actor,
      setOn: instantText(set.recordedAt),
      endsAt: expiresAt,
      removed: removed === null ? null : takenBack(removed),
      ...(kind === 'limit' ? ofLimit : {}),
    },
    events: [set.eventId, ...(removed === null ? [] : [removed.eventId])],
  };
}

function takenBack({
  recordedAt,
  data,
}: ByHandFact<{ readonly reason: string | null; readonly actor: string }>): Fact {
  return { on: instantText(recordedAt), reason: data.reason, actor: data.actor };
}

function instantText(ms: number): string {
  return new Date(ms).toISOString();
}
