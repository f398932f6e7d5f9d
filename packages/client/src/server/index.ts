export { type Bearer, bearerOf, decideFor, type RequestHeaders } from './bearer.js';
export type { Clock, Instant } from './clock.js';
export type { Check, Decision, FeedFault, Refused, Requirement, TokenFault } from './decision.js';
export type { EntitlementClaims } from './entitlement-token.js';
export { createGuard, type Guard, type GuardOptions } from './guard.js';
export { type TenureHandlerOptions, tenureHandler } from './handler/tenure-handler.js';
export { readSnapshot } from './read-snapshot.js';
export { type Refusal, refusalOf, refusalResponse } from './refusal.js';
export { TenureAnswerError, TenureTimeoutError } from './requests.js';
