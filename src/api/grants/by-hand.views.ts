import type { CommandResult } from '../../commands/aggregate.js';
import type { GrantIssuedData } from '../../events/grant.events.js';
import { type OverrideOutcome, overrideOutcomes } from '../../policy/combination-origins.js';
import type { Combination } from '../../policy/combine.js';
import type { ByHandFact } from '../../policy/facts.js';
import type { GrantAccess, GrantRule } from '../../policy/grants.js';
import type { OverrideRule } from '../../policy/overrides.js';
import type { GrantsResponse, OverridesResponse } from './grants.schemas.js';

type GrantView = GrantsResponse['grants'][number];
type OverrideView = OverridesResponse['overrides'][number];

const STATE_OF_GRANT = {
  grant_holds: 'holds',
  grant_to_come: 'to_come',
  grant_ended: 'ended',
  grant_revoked: 'revoked',
  grant_without_effect: 'without_effect',
} as const satisfies Record<GrantRule, GrantView['state']>;

const STATE_OF_OVERRIDE = {
  override_feature_on: 'in_force',
  override_feature_off: 'in_force',
  override_limit_value: 'in_force',
  override_limit_add: 'in_force',
  override_ended: 'ended',
  override_without_effect: 'without_effect',
} as const satisfies Record<Exclude<OverrideRule, 'override_removed'>, OverrideView['state']>;

/** What a request recorded, as it is answered. */
export function recordedView(recorded: CommandResult): Readonly<Record<string, string>> {
  const { outcome, position } = recorded;
  return {
    outcome,
    ...(recorded.outcome === 'applied' ? { event: recorded.event } : {}),
    ...(position === null ? {} : { position }),
  };
}

/** What a grant gives, as its event says it. */
export function grantView({ grant: grantId, userId: _, ...given }: GrantIssuedData) {
  return { grantId, ...given };
}

/** The grants of a user, the one issued last first. */
export function grantViews({ accesses }: Combination): readonly GrantView[] {
  const grants = accesses.filter((access): access is GrantAccess => access.kind === 'grant');
  return grants
    .toSorted(
      ({ grant: a }, { grant: b }) =>
        b.facts.issued.recordedAt - a.facts.issued.recordedAt || (a.facts.grant < b.facts.grant ? -1 : 1),
    )
    .map(({ grant, rule }) => ({
      ...grantView(grant.facts.issued.data),
      startsAt: new Date(grant.startsAt).toISOString(),
      state: STATE_OF_GRANT[rule],
      missing: [...grant.missing],
      issuedAt: new Date(grant.facts.issued.recordedAt).toISOString(),
      revoked: grant.facts.revoked === null ? null : takenBackView(grant.facts.revoked),
    }));
}

/** The overrides of a user that were not removed, by key. */
export function overrideViews(combination: Combination): readonly OverrideView[] {
  return overrideOutcomes(combination)
    .flatMap(viewOf)
    .toSorted((a, b) => (a.key === b.key ? (a.kind < b.kind ? -1 : 1) : a.key < b.key ? -1 : 1));
}

function viewOf({ override, value, planValue, overrideValue }: OverrideOutcome): readonly OverrideView[] {
  const { facts, rule } = override;
  if (rule === 'override_removed') return [];
  const { key, kind, set } = facts;
  const { add, expiresAt, reason, actor } = set.data;
  const setAt = new Date(set.recordedAt).toISOString();
  const state = STATE_OF_OVERRIDE[rule];
  return [{ key, kind, value, planValue, overrideValue, add, state, setAt, expiresAt, reason, actor }];
}

function takenBackView({
  recordedAt,
  data: { reason, actor },
}: ByHandFact<{ readonly reason: string | null; readonly actor: string }>) {
  return { at: new Date(recordedAt).toISOString(), reason, actor };
}
