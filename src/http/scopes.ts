/** What a key may do (DESIGN 10, "Who may"). */
export const SCOPES = ['entitlements:read', 'entitlements:write', 'checkout', 'audit', 'ops'] as const;

export type Scope = (typeof SCOPES)[number];
