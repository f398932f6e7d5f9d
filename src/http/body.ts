import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import secureJson from 'secure-json-parse';
import { ProblemError } from './problem.js';

/** Largest body of any route, in bytes (1 MiB). */
export const MAX_BODY_BYTES = 1024 * 1024;
/**
 * A body over the limit is still read to its end, without being kept, up to this size: a sender that is cut off in
 * the middle sees a broken connection instead of the answer.
 */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;

/** Lists and members of a JSON body within one another (RFC 8259, 9): whatever looks through a body may go down so far. */
const DEEPEST = 100;

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

const NO_BODY = Buffer.alloc(0);

/**
 * Takes a request body as it came, byte for byte, once: a `payload_too_large`, or an `invalid_request` when the caller goes
 * away half-way. A body whose length was announced is whole with its last byte, before its stream says so: where it came with
 * the head, `take` is called before this comes back to Node. Listeners stay on the request, which ends with its answer: to take
 * them off a stream costs as much as all the rest of reading it.
 */
export function takeBody(request: IncomingMessage, take: (body: Buffer | ProblemError) => void): void {
  // Where no body was announced, Node may end the stream before anybody could hear of it (`optimizeEmptyRequests`).
  if (request.readableEnded) {
    take(NO_BODY);
    return;
  }
  if (request.destroyed) {
    take(gone());
    return;
  }
  const announced = Number(request.headers['content-length']);
  const chunks: Buffer[] = [];
  let size = 0;
  let isOver = false;
  const end = (body: Buffer | ProblemError): void => {
    isOver = true;
    take(body);
  };
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
      if (size === announced) end(joined(chunks, size));
      return;
    }
    chunks.length = 0;
    if (size > MAX_DISCARDED_BYTES) {
      request.pause();
      end(tooLarge({ connection: 'close' }));
    }
  });
  request.on('end', () => {
    if (!isOver) end(size > MAX_BODY_BYTES ? tooLarge({}) : joined(chunks, size));
  });
  // Without a listener of errors Node tells of a caller who went away by this alone.
  request.on('close', () => {
    if (!isOver) end(gone());
  });
  request.read(0); // a stream that was asked for data hands it over as it comes, not a turn later
}

function gone(): ProblemError {
  return new ProblemError('invalid_request', 'The body ended before it was complete.');
}

function joined(chunks: readonly Buffer[], size: number): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
}

/** As `takeBody`. @throws ProblemError `payload_too_large`, `invalid_request` */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    takeBody(request, (body) => (body instanceof ProblemError ? reject(body) : resolve(body)));
  });
}

/** Bodies as they came, of requests whose repeats are told by their bytes. */
const rawBodies = new WeakMap<IncomingMessage, Buffer>();

/** The bytes of a body that `jsonBody` read for a request with an `Idempotency-Key`; none where it had no body. */
export function rawBodyOf(request: IncomingMessage): Buffer {
  return rawBodies.get(request) ?? NO_BODY;
}

/** Methods of which no route takes a body: one that is sent has no meaning (RFC 9110, 9.3.1, 9.3.5), and is passed over unread. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);

/**
 * Express middleware that parses the JSON body of a request that has one, of the methods that may. The same reader and the same limit as the
 * webhook's; keys that could reach a prototype are refused, not removed. A body that `formBody` has read stays.
 */
export async function jsonBody(request: Request, _response: Response, next: NextFunction): Promise<void> {
  try {
    if (request.body === undefined && !WITHOUT_BODY.has(request.method))
      request.body = await readJsonBody(request);
    next();
  } catch (error) {
    next(error);
  }
}

/**
 * Express middleware for a route whose body is a form (`application/x-www-form-urlencoded`): texts by their names, and all of
 * them in a list where a name is given again.
 */
export async function formBody(request: Request, _response: Response, next: NextFunction): Promise<void> {
  try {
    if (hasBody(request)) request.body = await readForm(request);
    next();
  } catch (error) {
    next(error);
  }
}

async function readForm(request: Request): Promise<Readonly<Record<string, string | readonly string[]>>> {
  const refused = refusedType(request, FORM_TYPE, 'application/x-www-form-urlencoded');
  if (refused !== null) throw refused;
  const form = new URLSearchParams((await readBody(request)).toString('utf8'));
  const names = [...new Set(form.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const [first = '', ...others] = form.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** An `unsupported_media_type`, or `null` where the type is the one that is taken. */
function refusedType({ headers }: IncomingMessage, type: RegExp, name: string): ProblemError | null {
  const encoding = headers['content-encoding'];
  if (type.test(headers['content-type'] ?? '') && (encoding === undefined || encoding === 'identity')) {
    return null;
  }
  return new ProblemError('unsupported_media_type', `Send ${name}, not compressed.`);
}

/** A request has a body when it announces one (RFC 9112, 6). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A JSON body that was read, `undefined` where there was none, or why it could not be. */
export type JsonBody = { readonly value: unknown } | ProblemError;

/** Takes the JSON body of a request, once, as `takeBody` does; also `unsupported_media_type` and `malformed_json`. */
export function takeJsonBody(request: IncomingMessage, take: (body: JsonBody) => void): void {
  if (!hasBody(request)) {
    take({ value: undefined });
    return;
  }
  const refused = refusedType(request, JSON_TYPE, 'application/json');
  if (refused !== null) {
    take(refused);
    return;
  }
  takeBody(request, (raw) => {
    const isRead = !(raw instanceof ProblemError);
    if (isRead && request.headers['idempotency-key'] !== undefined) rawBodies.set(request, raw);
    take(isRead ? parsed(raw) : raw);
  });
}

/**
 * The JSON body of a request, `undefined` where it has none.
 * @throws ProblemError `unsupported_media_type`, `malformed_json`, and as `readBody`
 */
export function readJsonBody(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    takeJsonBody(request, (body) => (body instanceof ProblemError ? reject(body) : resolve(body.value)));
  });
}

function parsed(raw: Buffer): JsonBody {
  try {
    const options = { protoAction: 'error', constructorAction: 'error' } as const;
    const value: unknown = secureJson.parse(UTF8.decode(raw), undefined, options);
    if (isTooDeep(value)) return new ProblemError('malformed_json', `It is nested deeper than ${DEEPEST}.`);
    return { value };
  } catch (cause) {
    return new ProblemError('malformed_json', 'The body is not JSON that can be taken.', {}, { cause });
  }
}

/** Whether a JSON value is nested too deep; looked at level by level, which is safe however deep it is. */
function isTooDeep(value: unknown): boolean {
  let level = isNesting(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    const inner: object[] = [];
    for (const each of level) {
      for (const member of Object.values(each)) if (isNesting(member)) inner.push(member);
    }
    level = inner;
  }
  return false;
}

function isNesting(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tooLarge(headers: Readonly<Record<string, string>>): ProblemError {
  return new ProblemError('payload_too_large', `The limit is ${MAX_BODY_BYTES} bytes.`, headers);
}
