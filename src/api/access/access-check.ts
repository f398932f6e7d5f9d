import type { IncomingMessage } from 'node:http';
import { type AccessControl, requireAccess } from '../../auth/access-control.js';
import type { Principal } from '../../auth/authenticator.js';
import { ProblemError } from '../../http/problem.js';
import { emptyReply, type Reply } from '../../http/reply.js';
import { UserErasedError } from '../../pseudonyms/errors.js';
import { type EntitlementTokens, isEntitlementToken } from '../../tokens/entitlement-token.js';
import type { Decisions, EntitlementsService } from '../entitlements/entitlements.service.js';
import { pathOf, routeFor } from './request-path.js';

/** Where proxies ask; what they put behind it is the path of the request that they ask about. */
export const CHECK_PATH = '/access/v1/check';

/** Where the pair of method and path is told, by the value of `headers`. */
const PAIRS = {
  original: { method: 'x-original-method', path: 'x-original-uri' },
  forwarded: { method: 'x-forwarded-method', path: 'x-forwarded-uri' },
} as const;
const PARAMETERS = ['feature', 'user', 'headers'];
const BEARER = /^bearer /i;

/** What is asked about: a feature, or a request by its method and target; and of whom, where a key asks. */
type Question = { readonly user: string | null } & (
  | { readonly feature: string }
  | { readonly method: string; readonly target: string }
);

export interface AccessCheckOptions {
  readonly access: Pick<AccessControl, 'recognise'>;
  readonly tokens: Pick<EntitlementTokens, 'introspect'>;
  readonly entitlements: Pick<EntitlementsService, 'decisions'>;
  /** What stands for a user id inside; `null` or left out: itself. @throws UserErasedError, ProblemError `invalid_user_id` */
  readonly stored?: ((userId: string) => Promise<string>) | null;
}

/** Answers proxies whether to let a request through (DESIGN 10, "What is asked about"). */
export class AccessCheck {
  constructor(private readonly options: AccessCheckOptions) {}

  /**
   * 204 with the reason where it may pass.
   * @throws ProblemError `unauthorized`, `access_denied`, `invalid_request`, `unsupported_parameter`, `other_user`, `forbidden`
   */
  async answer(request: IncomingMessage): Promise<Reply> {
    const question = questionOf(request);
    const { entitlements } = this.options;
    const userId = await this.#userOf(request.headers.authorization, question.user);
    const decisions = await entitlements.decisions(await this.#stored(userId));
    const faulted = faultedHeader(decisions);
    const feature = featureOf(question, decisions);
    const { allowed, reason } = decisions.decide(feature, 1);
    if (!allowed) throw denied(reason, faulted);
    return emptyReply(204, { 'tenure-reason': reason, ...faulted });
  }

  /** What stands for a user id inside. A proxy takes no other refusal than 401 and 403. @throws ProblemError `access_denied` */
  async #stored(userId: string): Promise<string> {
    const { stored = null } = this.options;
    if (stored === null) return userId;
    try {
      return await stored(userId);
    } catch (error) {
      if (error instanceof UserErasedError) throw denied('user_erased', {});
      throw error;
    }
  }

  async #userOf(authorization: string | undefined, asked: string | null): Promise<string> {
    const principal = await this.#principalOf(authorization);
    if (principal === null) {
      throw new ProblemError('unauthorized', 'Send "Authorization: Bearer …" with a token of the user.', {
        'www-authenticate': 'Bearer realm="tenure"',
      });
    }
    if (asked !== null) requireAccess(principal, 'entitlements:read', asked);
    if (principal.kind === 'user') return principal.userId;
    if (asked !== null) return asked;
    throw new ProblemError('unauthorized', 'A key does not say of whom it asks: send a token, or `user`.', {
      'www-authenticate': 'Bearer realm="tenure"',
    });
  }

  /** Failures are not counted: whoever guesses comes from the address of the proxy, as everybody does. */
  async #principalOf(authorization: string | undefined): Promise<Principal | null> {
    if (authorization === undefined || !BEARER.test(authorization)) return null;
    const token = authorization.slice('Bearer '.length);
    if (!isEntitlementToken(token)) return this.options.access.recognise(authorization);
    const claims = await this.options.tokens.introspect(token);
    if (claims === null) return null;
    return { kind: 'user', actor: `user:${claims.sub}`, userId: claims.sub, expiresAt: claims.exp * 1_000 };
  }
}

/** @throws ProblemError `access_denied` where the path may be read otherwise, or no route fits */
function featureOf(question: Question, decisions: Decisions): string {
  if ('feature' in question) return question.feature;
  const path = pathOf(question.target);
  if (path === null) throw denied('path_refused', {});
  const route = routeFor(decisions.catalog, question.method, path);
  if (route === null) throw denied('no_route', faultedHeader(decisions));
  return route.feature;
}

function faultedHeader({ snapshot: { faulted } }: Decisions): Readonly<Record<string, string>> {
  return faulted === undefined ? {} : { 'tenure-faulted': faulted.position };
}

function denied(reason: string, headers: Readonly<Record<string, string>>): ProblemError {
  return new ProblemError(
    'access_denied',
    `The answer is no: ${reason}.`,
    { 'tenure-reason': reason, ...headers },
    { members: { reason } },
  );
}

/** @throws ProblemError `invalid_request`, `unsupported_parameter` */
function questionOf(request: IncomingMessage & { readonly originalUrl?: string }): Question {
  const { originalUrl: url = request.url ?? '', method = '' } = request;
  const [path = '', ...rest] = url.split('?');
  const behind = path.slice(CHECK_PATH.length);
  if (!path.toLowerCase().startsWith(CHECK_PATH)) return { user: null, method, target: path };
  if (behind !== '') return { user: null, method, target: behind };

  const query = new URLSearchParams(rest.join('?'));
  for (const name of query.keys()) {
    if (!PARAMETERS.includes(name)) {
      throw new ProblemError('unsupported_parameter', `This route has no parameter "${name.slice(0, 50)}".`);
    }
    if (query.getAll(name).length > 1)
      throw new ProblemError('invalid_request', `${name} may be given once.`);
  }
  const user = query.get('user');
  const feature = query.get('feature');
  const headers = query.get('headers');
  if (feature !== null && headers === null) return { user, feature };
  if (feature !== null) throw new ProblemError('invalid_request', 'Ask about a feature, or by headers.');
  if (headers !== null && headers !== 'forwarded') {
    throw new ProblemError('invalid_request', 'headers must be forwarded, or left out.');
  }
  return { user, ...pairOf(request, headers === null ? 'original' : 'forwarded') };
}

/** @throws ProblemError `invalid_request` of half a pair, or one that is given twice */
function pairOf(
  { headersDistinct }: IncomingMessage,
  which: keyof typeof PAIRS,
): { readonly method: string; readonly target: string } {
  const names = PAIRS[which];
  const [methods = [], targets = []] = [headersDistinct[names.method], headersDistinct[names.path]];
  const [[method, ...otherMethods], [target, ...otherTargets]] = [methods, targets];
  if (method === undefined || target === undefined || otherMethods.length + otherTargets.length > 0) {
    throw new ProblemError(
      'invalid_request',
      `Send ${names.method} and ${names.path}, each once, or ask by feature.`,
    );
  }
  return { method, target };
}
