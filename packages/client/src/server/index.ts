export type { EntitlementClaims } from './entitlement-token.js';
