import type { PlanCatalog } from '../../events/catalog.events.js';
import type { Judgement } from '../../policy/entitlement.js';
import type { UserFacts } from '../../policy/facts.js';
import { judge } from '../../policy/judge.js';

/** What the log is folded by. */
export interface FoldingRules {
  /** Changes whenever the same log would give other rows: goes up with every change of policy or fold. */
  readonly codeVersion: string;
  /** The access policy; `now` is Unix milliseconds. */
  readonly judge: (facts: UserFacts, catalog: PlanCatalog, now: number) => Judgement;
}

/** The rules of this code. */
export const RUNNING_RULES: FoldingRules = { codeVersion: '8', judge };
