/**
 * What the browser asks for below `baseUrl`, be that the service itself (with a user token) or the application's own
 * `tenureHandler` (with its session): the same paths on both, with the query parameters `minPosition` and `wait`, and the
 * headers `If-None-Match` and `Last-Event-ID`.
 */
export const PATHS = {
  snapshot: '/v1/me/entitlements',
  stream: '/v1/me/entitlements/stream',
  plans: '/v1/plans',
  /** POST; `userId` in the body is the one that the browser last saw, and a handler puts the signed-in one in its place. */
  checkout: '/v1/checkout/sessions',
  portal: '/v1/portal/sessions',
} as const;
