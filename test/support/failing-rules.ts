import type { PlanCatalog } from '../../src/events/catalog.events.js';
import type { Judgement } from '../../src/policy/entitlement.js';
import type { UserFacts } from '../../src/policy/facts.js';
import { judge } from '../../src/policy/judge.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';

/** What is judged: all that rules get to see. */
export interface Judged {
  readonly facts: UserFacts;
  readonly catalog: PlanCatalog;
  /** Unix ms. */
  readonly now: number;
  readonly judgement: Judgement;
}

/** The rules of this code, but for what `fails` says: `true` throws, another judgement takes the place of the right one. */
export function failingRules(
  codeVersion: string,
  fails: (judged: Judged) => boolean | Judgement,
): FoldingRules {
  return {
    codeVersion,
    judge: (facts, catalog, now) => {
      const judgement = judge(facts, catalog, now);
      const failed = fails({ facts, catalog, now, judgement });
      if (failed === true) throw new RangeError('not with me');
      return failed === false ? judgement : failed;
    },
  };
}

/** Whether an observation with this status is among the facts. */
export function sawStatus({ facts }: Judged, status: string): boolean {
  return facts.subscriptions.some(({ observations }) =>
    observations.some(({ data }) => data.status === status),
  );
}

/** Whether a subscription of that name (`sub_…`) is among the facts. */
export function has({ facts }: Judged, subscription: string): boolean {
  return facts.subscriptions.some((each) => each.subscription === subscription);
}
