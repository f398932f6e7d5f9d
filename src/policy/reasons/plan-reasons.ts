import { type Access, endOf, idOf, isOfSubscription } from '../access.js';
import { type Combination, planRuleOf } from '../combine.js';
import type { Observation } from '../facts.js';
import { rfc3339OrNull } from '../time.js';
import { type Evidence, eventsOf, type Fact, type Reason, reasonOf, timeOf } from './reason.js';
import type { ReasonCode } from './rules.js';
import type { Explained } from './subscription-reasons.js';

/**
 * Why the plan and its role are those: how the subscription that gives them was chosen among all, of which each is told with
 * its rule and its facts, because any of them might give another plan.
 */
export function planReason(combination: Combination, explained: readonly Explained[]): Reason {
  const { best, giving, plan } = combination;
  const next = giving.find((access) => access !== best) ?? null;
  const ends = endsEvidence(combination);
  return reasonOf('plan', planRuleOf(combination), {
    facts: {
      plan: plan.name,
      role: plan.plan.role,
      rank: plan.plan.rank,
      source: best === null ? null : idOf(best),
      sourceType: best?.kind ?? null,
      status: best?.status ?? null,
      periodEnd: rfc3339OrNull(best === null ? null : endOf(best)),
      next:
        next === null
          ? null
          : {
              source: idOf(next),
              sourceType: next.kind,
              plan: next.plan.name,
              rank: next.plan.plan.rank,
              status: next.status,
            },
      ends: ends.facts,
      sources: factsOfAll(explained),
    },
    events: [...explained.flatMap(({ reason }) => reason.events), ...ends.events],
  });
}

/** The ends that sources were chosen by, where they are alike in rank and status: which item shows that of each subscription. */
function endsEvidence({ giving }: Combination): Evidence {
  const [first, ...others] = giving;
  const alike = others.filter(
    ({ plan, status }) => plan.plan.rank === first?.plan.plan.rank && status === first.status,
  );
  if (first === undefined || alike.length === 0) return { facts: {}, events: [] };
  const shown = [first, ...alike].map((access) => ({ access, by: shownBy(access) }));
  return {
    facts: Object.fromEntries(
      shown.map(({ access, by }) => [
        idOf(access),
        { end: rfc3339OrNull(endOf(access)), shownAt: timeOf(by) },
      ]),
    ),
    events: eventsOf(...shown.map(({ by }) => by)),
  };
}

/** The observation with the item whose period ends; of a subscription that stays by a line, the line tells. */
function shownBy(access: Access): Observation | null {
  return isOfSubscription(access) && access.line === null
    ? (access.subscriptionState.followed?.periodFrom ?? null)
    : null;
}

/** Why the status is that: of the subscription that gives the plan, or the word of the one observed last that says one. */
export function statusReason(combination: Combination, explained: readonly Explained[]): Reason {
  const { best, speaking } = combination;
  const by = best ?? speaking[0];
  if (by === undefined) {
    return reasonOf('status', 'nothing_to_say', {
      facts: { sources: factsOfAll(explained) },
      events: explained.flatMap(({ reason }) => reason.events),
    });
  }
  const code = best === null ? wordCodeOf(by) : statusCodeOf(best);
  return reasonOf('status', code, evidenceOf(by, explained));
}

function wordCodeOf(access: Access): ReasonCode {
  return isOfSubscription(access) ? (access.wordRule ?? access.rule) : access.rule;
}

function statusCodeOf(access: Access): ReasonCode {
  if (!isOfSubscription(access)) return access.rule;
  const { statusRule, line, status } = access;
  const { grace } = access.subscriptionState;
  if (line !== null) return 'past_due_while_paid';
  if (status !== 'past_due') return statusRule;
  return grace?.rule ?? 'status_past_due';
}

function evidenceOf(access: Access, explained: readonly Explained[]): Evidence {
  const found = explained.find(({ accesses }) => accesses.includes(access));
  if (found === undefined) throw new Error('what decides is not explained');
  return found.reason;
}

/** Rule and facts of each source, by its id. */
function factsOfAll(explained: readonly Explained[]): Fact {
  return Object.fromEntries(explained.map(({ id, reason: { code, facts } }) => [id, { code, ...facts }]));
}
