import type { EntitlementClaims } from './entitlement-token.js';

/**
 * What is wrong with a token. `stale`: what it says was changed since, or it is older than the feed itself; `keys_unread`: the
 * key that it names is not known, and keys cannot be read just now.
 */
export type TokenFault =
  | 'no_token'
  | 'malformed'
  | 'unknown_kind'
  | 'unknown_key'
  | 'keys_unread'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'expired'
  | 'stale';
/** Why nobody can say whether a token still holds; see `FeedState`. */
export type FeedFault = 'feed_silent' | 'feed_reset' | 'feed_unreadable';

/** Whether a token holds, and what it says then. With a fault of the feed the claims are those of a token that may be stale. */
export type Check =
  | { readonly valid: true; readonly claims: EntitlementClaims }
  | { readonly valid: false; readonly reason: TokenFault; readonly claims: null }
  | { readonly valid: false; readonly reason: FeedFault; readonly claims: EntitlementClaims };

/** What must be held: a feature by its key, or a role. */
export type Requirement = { readonly feature: string } | { readonly role: string };

/**
 * Whether what is required is held. `open_while_silent`: nobody knows, and the guard was told to let through then;
 * `token_unissued`: Tenure gave no token of the user.
 */
export type Decision =
  | {
      readonly allowed: true;
      readonly reason: 'held' | 'open_while_silent';
      readonly claims: EntitlementClaims;
    }
  | {
      readonly allowed: false;
      readonly reason: TokenFault | FeedFault | 'token_unissued' | 'not_in_plan' | 'other_role';
      readonly claims: EntitlementClaims | null;
    };

export type Refused = Extract<Decision, { readonly allowed: false }>;

/** Decides by a check. @param open features that are let through while the feed is silent. Pure. */
export function decide(check: Check, requirement: Requirement, open: ReadonlySet<string>): Decision {
  const { claims } = check;
  if (claims === null) return { allowed: false, reason: check.reason, claims };
  if (!check.valid && !(check.reason === 'feed_silent' && isOpen(requirement, open))) {
    return { allowed: false, reason: check.reason, claims };
  }
  if ('feature' in requirement && !claims.features.includes(requirement.feature)) {
    return { allowed: false, reason: 'not_in_plan', claims };
  }
  if ('role' in requirement && claims.role !== requirement.role) {
    return { allowed: false, reason: 'other_role', claims };
  }
  return { allowed: true, reason: check.valid ? 'held' : 'open_while_silent', claims };
}

function isOpen(requirement: Requirement, open: ReadonlySet<string>): boolean {
  return 'feature' in requirement && open.has(requirement.feature);
}
