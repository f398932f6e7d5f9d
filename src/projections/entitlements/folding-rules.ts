import type { PlanCatalog } from '../../events/catalog.events.js';
import type { Judgement } from '../../policy/entitlement.js';
import type { Observation, UserFacts } from '../../policy/facts.js';
import { judge } from '../../policy/judge.js';
import { repeatsTheOneBefore } from '../../policy/repeated-sight.js';

/** What the log is folded by. */
export interface FoldingRules {
  /** Changes whenever the same log would give other rows: goes up with every change of policy or fold. */
  readonly codeVersion: string;
  /** The access policy; `now` is Unix milliseconds. */
  readonly judge: (facts: UserFacts, catalog: PlanCatalog, now: number) => Judgement;
  /**
   * Whether `judge` says of a user's only subscription, by whatever catalogue, what it said before its last observation.
   * Left out: nothing is known of that, and everyone is judged after every fact.
   */
  readonly isRepeated?: (observations: readonly Observation[]) => boolean;
}

/** The rules of this code. */
export const RUNNING_RULES: FoldingRules = { codeVersion: '9', judge, isRepeated: repeatsTheOneBefore };
