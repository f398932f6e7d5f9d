const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  not_signed_in: { status: 401, title: 'Nobody is signed in' },
  other_origin: { status: 403, title: 'The request comes from another site' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  tenure_refused: { status: 502, title: 'The application may not ask for this' },
  tenure_unreachable: { status: 502, title: 'The entitlement service does not answer' },
} as const;

/** An answer of the handler's own (RFC 9457), shaped as those of Tenure are. */
export function problemResponse(code: keyof typeof PROBLEMS): Response {
  const { status, title } = PROBLEMS[code];
  return new Response(JSON.stringify({ type: `urn:tenure:problem:${code}`, title, status, code }), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', vary: 'Cookie' },
  });
}
