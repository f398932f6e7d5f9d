import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { Principal } from '../../auth/authenticator.js';
import { findPrincipal, replacePrincipal } from '../../auth/require-key.js';
import { idempotencyKeyOf } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import { UserErasedError } from '../../pseudonyms/errors.js';
import { isErasedMark, isPseudonym } from '../../pseudonyms/pseudonym.js';
import type { Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { checkSaid, mapUserIds, userIdsIn } from '../../pseudonyms/request-ids.js';

/** Paths that are about a user, and where the id is in them. */
const OF_USER = /^(\/v1\/(?:audit\/)?users\/)([^/?]+)/i;
const AUDIT = /^\/v1\/audit\//i;
/** Where an erased user is let in: a purchase begins anew, and of a batch, or several evaluations, each entry says so. */
const TAKES_ERASED =
  /^\/(?:v1\/(?:checkout\/sessions|entitlements\/batch)|access\/v1\/evaluations)\/?(?:\?|$)/i;
/** As many users as a request may name: those of bulk links, and who sends it. */
const MOST = 1_010;
/** Parameters of queries that are a user id. */
const PARAMETERS = ['user', 'userId'];
/** The list that goes on after a user id which its reader read. */
const AFTER_USER = /^\/v1\/audit\/entitlements\/?\?/i;

/**
 * The way in of user ids over HTTP (DESIGN 4, "Pseudonyms"): behind the check of the key and before everything else, the
 * user ids of path, query, body and token become what stands for them. What comes after knows no others.
 */
export class RequestEdge {
  constructor(private readonly pseudonyms: Pseudonyms) {}

  /** Express middleware. What came in without a key or token passes. */
  readonly middleware = async (request: Request, _response: Response, next: NextFunction): Promise<void> => {
    try {
      await this.#translate(request);
      next();
    } catch (error) {
      next(error);
    }
  };

  /** What stands for a user id inside. @throws ProblemError `invalid_user_id`, `user_erased` */
  async stored(userId: string): Promise<string> {
    this.#check(userId);
    const stored = await this.pseudonyms.storedOfOne(userId);
    if (isErasedMark(stored)) throw new UserErasedError();
    return stored;
  }

  /** As `stored`, at once where it is in memory; `null` where it must be looked up. */
  peek(userId: string): string | null {
    return this.pseudonyms.peek(userId);
  }

  /** A holder of a token as they are known inside; holders of keys are the same. @throws as `stored` */
  async principal(principal: Principal): Promise<Principal> {
    return principal.kind === 'key' ? principal : known(principal, await this.stored(principal.userId));
  }

  /** A body as it is read inside. @throws as `stored` */
  async body(value: unknown): Promise<unknown> {
    const userIds = userIdsIn(value).filter((userId) => this.pseudonyms.isUserId(userId));
    const stored = await this.pseudonyms.storedOf(userIds);
    if ([...stored.values()].some(isErasedMark)) throw new UserErasedError();
    // What is no user id the route refuses, as it would without pseudonyms.
    return mapUserIds(value, (userId) => storedOr(stored, userId));
  }

  async #translate(request: Request): Promise<void> {
    const principal = findPrincipal(request);
    if (principal === null) return;
    const { body, originalUrl: url } = request;
    const path = OF_USER.exec(url)?.[2];
    const query = new URLSearchParams(url.split('?').slice(1).join('?'));
    const asked = [
      ...(path === undefined ? [] : [this.#ofPath(url, path)]),
      ...parametersOf(url).flatMap((name) => query.getAll(name)),
      ...userIdsIn(body),
    ];
    // A ticket has the pseudonym of its user, no token has one.
    const isTicket = principal.kind === 'user' && isPseudonym(principal.userId);
    if (isTicket) await this.#checkTicket(principal.userId);
    const token = principal.kind === 'user' && !isTicket ? [principal.userId] : [];
    const all = [...new Set([...asked, ...token])];
    checkSaid(body, all);
    checkSaid(Object.fromEntries(query), all);
    const stored = await this.#storedOf(all, AUDIT.test(url));
    const takesErased = request.method === 'POST' && TAKES_ERASED.test(url);
    if (!takesErased && [...stored.values()].some(isErasedMark)) throw new UserErasedError();
    this.#rewrite(request, stored);
    if (principal.kind === 'user' && !isTicket)
      replacePrincipal(request, known(principal, storedOr(stored, principal.userId)));
    this.#hashKey(request);
  }

  /** @throws UserErasedError */
  async #checkTicket(stored: string): Promise<void> {
    if ((await this.pseudonyms.userIdsOf([stored])).size === 0) throw new UserErasedError();
  }

  #ofPath(url: string, encoded: string): string {
    const userId = decodeURIComponent(encoded); // a URIError is a problem of its own
    if (!(AUDIT.test(url) && isPseudonym(userId))) this.#check(userId);
    return userId;
  }

  /** What stands for each of these; whoever reads for an audit may name a pseudonym itself, also of an erased user. */
  async #storedOf(asked: readonly string[], isAudit: boolean): Promise<ReadonlyMap<string, string>> {
    // More than any route takes are refused by it, and make nobody known.
    const given = asked.length > MOST ? [] : asked.filter((userId) => this.pseudonyms.isUserId(userId));
    const stored = new Map(await this.pseudonyms.storedOf(given));
    if (isAudit) for (const each of asked) if (isPseudonym(each)) stored.set(each, each);
    return stored;
  }

  #rewrite(request: Request, stored: ReadonlyMap<string, string>): void {
    const { originalUrl } = request;
    if (request.body !== undefined) {
      request.body = mapUserIds(request.body, (userId) => storedOr(stored, userId));
    }
    const [path = '', ...rest] = originalUrl.split('?');
    const inside = path.replace(
      OF_USER,
      (_, start: string, userId: string) => `${start}${storedOr(stored, decodeURIComponent(userId))}`,
    );
    const query = new URLSearchParams(rest.join('?'));
    let isChanged = inside !== path;
    for (const name of parametersOf(originalUrl)) {
      const values = query.getAll(name);
      if (values.length === 0) continue;
      query.delete(name);
      for (const value of values) query.append(name, storedOr(stored, value));
      isChanged = true;
    }
    if (!isChanged) return;
    const url = query.size === 0 ? inside : `${inside}?${query}`;
    request.url = url;
    request.originalUrl = url;
  }

  /** In the log, and wherever a request is known again, a keyed hash stands for the caller's key. */
  #hashKey(request: IncomingMessage): void {
    const key = idempotencyKeyOf(request);
    if (key !== null) request.headers['idempotency-key'] = this.pseudonyms.hashes.ofCallersKey(key);
  }

  /** @throws ProblemError `invalid_user_id` */
  #check(userId: string): void {
    if (this.pseudonyms.isUserId(userId)) return;
    throw new ProblemError('invalid_user_id', 'It is no user id, or does not match USER_ID_PATTERN.');
  }
}

function parametersOf(url: string): readonly string[] {
  return AFTER_USER.test(url) ? [...PARAMETERS, 'cursor'] : PARAMETERS;
}

/** What is no user id becomes a text that is none, and that every route refuses as such. */
function storedOr(stored: ReadonlyMap<string, string>, userId: string): string {
  return stored.get(userId) ?? (userId === '' ? '' : '\u0007');
}

function known(principal: Extract<Principal, { kind: 'user' }>, userId: string): Principal {
  return { ...principal, userId, actor: `user:${userId}` };
}
