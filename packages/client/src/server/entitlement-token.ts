import { decodeBase64Url } from './base64url.js';

/** What an entitlement token says of its user (docs/DESIGN.md, section 10). Times are seconds since 1970. */
export interface EntitlementClaims {
  readonly iss?: string;
  /** The user's id. */
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  /** The user's revocation version when it was issued: below the one that holds, it is stale. */
  readonly ver: number;
  readonly role: string;
  readonly plan: string;
  readonly status: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number | 'unlimited'>>;
  /** Mark that is there only where an event of the user could not be applied when it was issued. */
  readonly faulted?: { readonly since: string; readonly position: string };
}

export const ALGORITHMS = ['EdDSA', 'ES256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A token taken apart; nothing of it is to be believed before its signature was verified. */
export interface TokenParts {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly claims: EntitlementClaims;
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** `typ` of an entitlement token (RFC 8725, "Use Explicit Typing"): any other JWT is refused, signed as well as it may be. */
const TYPE = 'entitlements+jwt';
/** Longer than any token that Tenure makes, in characters. */
const MAX_LENGTH = 32_768;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const ascii = new TextEncoder();

/** Takes a compact JWS (RFC 7515) apart. `malformed`: no such thing; `unknown_kind`: a token of another kind. */
export function takeApart(token: string): TokenParts | 'malformed' | 'unknown_kind' {
  if (token.length > MAX_LENGTH) return 'malformed';
  const [header = '', payload = '', mac = '', ...rest] = token.split('.');
  const head = jsonOf(header);
  const signature = decodeBase64Url(mac);
  if (rest.length > 0 || head === null || signature === null || signature.length === 0) return 'malformed';
  const { alg, kid, typ } = head;
  // RFC 7515, "crit": whoever does not know what must be understood refuses.
  if (typ !== TYPE || !isAlgorithm(alg) || 'crit' in head) return 'unknown_kind';
  const claims = claimsOf(jsonOf(payload));
  if (typeof kid !== 'string' || claims === null) return 'malformed';
  return { kid, alg, claims, signed: ascii.encode(`${header}.${payload}`), signature };
}

function isAlgorithm(alg: unknown): alg is Algorithm {
  return ALGORITHMS.some((known) => known === alg);
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | null {
  const bytes = decodeBase64Url(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function claimsOf(body: Readonly<Record<string, unknown>> | null): EntitlementClaims | null {
  if (body === null) return null;
  const { iss, sub, iat, exp, ver, role, plan, status, features, limits, faulted } = body;
  if (typeof sub !== 'string' || typeof role !== 'string' || typeof plan !== 'string') return null;
  if (typeof status !== 'string' || !isNumber(iat) || !isNumber(exp) || !isNumber(ver)) return null;
  if (!isListOfNames(features) || !areLimits(limits)) return null;
  if (iss !== undefined && typeof iss !== 'string') return null;
  if (faulted !== undefined && !isFault(faulted)) return null;
  const optional = { ...(iss === undefined ? {} : { iss }), ...(faulted === undefined ? {} : { faulted }) };
  return { sub, iat, exp, ver, role, plan, status, features, limits, ...optional };
}

function isFault(value: unknown): value is NonNullable<EntitlementClaims['faulted']> {
  return isRecord(value) && typeof value.since === 'string' && typeof value.position === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isListOfNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function areLimits(value: unknown): value is EntitlementClaims['limits'] {
  return isRecord(value) && Object.values(value).every((limit) => isNumber(limit) || limit === 'unlimited');
}
