import {
  type FoldingRules,
  RUNNING_RULES as RIGHT_RULES,
} from '../../../src/projections/entitlements/folding-rules.js';
import { failingRules, has, type Judged, sawStatus } from '../failing-rules.js';

/** What broken code throws at. */
export type BreaksAt = 'event' | 'stream' | 'user' | 'everybody' | 'everything';

/** Status of the one observation that code broken at an event throws at. */
export const BREAKING_STATUS = 'breaks_the_code';
/** The subscription that code broken at a stream throws at, from its first event on. */
export const BREAKING_SUBSCRIPTION = 'sub_breaks_the_code';
/** A subscription whose owner cannot be judged by code broken at a user, whatever the event. */
export const SUBSCRIPTION_OF_BROKEN_USER = 'sub_before_the_break';

const BREAKS: Readonly<Record<BreaksAt, (judged: Judged) => boolean>> = {
  event: (judged) => sawStatus(judged, BREAKING_STATUS),
  stream: (judged) => has(judged, BREAKING_SUBSCRIPTION),
  user: (judged) => has(judged, SUBSCRIPTION_OF_BROKEN_USER),
  everybody: ({ facts }) => facts.subscriptions.length > 0,
  // Not even what nobody has can be told.
  everything: () => true,
};

/** Where `register-broken.mjs` was asked to break the code. */
const { breaksAt } = globalThis as { readonly breaksAt?: BreaksAt };

/** The rules of this code, of the same code version, but that they throw. */
export const RUNNING_RULES: FoldingRules = failingRules(
  RIGHT_RULES.codeVersion,
  breaksAt === undefined ? () => false : BREAKS[breaksAt],
);
