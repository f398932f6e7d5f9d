import type { Environment } from './environment.js';
import { asTenureError, TenureError } from './errors.js';
import { PATHS } from './paths.js';
import { retryAfterMs } from './retry-after.js';
import { type Held, isPosition, isRecord, parseSnapshot } from './snapshot.js';
import { Deadline } from './timers.js';

const DEADLINE_MS = 10_000;
/** Node's types of `fetch` do not name it. */
const UNCACHED: object = { cache: 'no-store' };

/** What is asked for: what is held already, and what the answer must know. */
export interface Ask {
  readonly held: Held | null;
  readonly minPosition: string | null;
  /** Seconds for which a server may hold the answer back until something changes; `null`: not at all. */
  readonly waitSeconds: number | null;
}

export interface RequestOptions {
  readonly baseUrl: string;
  /** Gives the user's token, a new one when the last has ended; without it the application's own session counts. */
  readonly token: (() => Promise<string>) | undefined;
}

/** The requests of one user. Whatever fails is a `TenureError`. */
export class Requests {
  readonly #base: string;

  constructor(
    private readonly options: RequestOptions,
    private readonly environment: Environment,
  ) {
    this.#base = options.baseUrl.replace(/\/+$/, '');
  }

  /** The snapshot now; `null` when it is the one that is held. */
  async snapshot(ask: Ask, signal: AbortSignal): Promise<Held | null> {
    const etag = ask.held?.etag ?? null;
    const wait = etag === null ? null : ask.waitSeconds;
    const url = withQuery(PATHS.snapshot, { minPosition: ask.minPosition, wait });
    const headers: Record<string, string> = etag === null ? {} : { 'if-none-match': etag };
    const deadline = new Deadline(this.environment.clock, DEADLINE_MS + (wait ?? 0) * 1_000, signal);
    try {
      const response = await this.#send(url, { headers, signal: deadline.signal });
      if (response.status === 304 && etag !== null) return null;
      await refuseFailure(response);
      const snapshot = parseSnapshot(await response.json());
      return { snapshot, etag: response.headers.get('etag'), cursor: null };
    } catch (error) {
      throw told(error, deadline, signal);
    } finally {
      deadline.end();
    }
  }

  /** The stream of the user's snapshots, open. */
  async stream(ask: Ask, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const cursor = ask.held?.cursor ?? null;
    const url = withQuery(PATHS.stream, { minPosition: ask.minPosition });
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (cursor !== null) headers['last-event-id'] = cursor;
    const response = await this.#send(url, { headers, signal });
    await refuseFailure(response);
    const type = response.headers.get('content-type') ?? '';
    if (response.body === null || !type.startsWith('text/event-stream')) {
      throw new TenureError('malformed_answer', 'This is no event stream.', response.status);
    }
    return response.body;
  }

  /** JSON of another route, and the position that a write is known from. */
  async json(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown; readonly position: string | null }> {
    const init: RequestInit =
      body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const deadline = new Deadline(this.environment.clock, DEADLINE_MS, signal);
    try {
      const response = await this.#send(path, { ...init, signal: deadline.signal });
      await refuseFailure(response);
      const position = response.headers.get('tenure-position');
      return { value: await response.json(), position: isPosition(position) ? position : null };
    } catch (error) {
      throw told(error, deadline, signal);
    } finally {
      deadline.end();
    }
  }

  /**
   * The browser's own cache is left out: it knows nothing of who is signed in. A token that has ended on the way is replaced
   * once.
   */
  async #send(path: string, init: RequestInit): Promise<Response> {
    const { token } = this.options;
    const sent = async (): Promise<Response> => {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set('authorization', `Bearer ${await token()}`);
      const credentials = token === undefined ? 'same-origin' : 'omit';
      return this.environment.fetch(this.#base + path, { ...UNCACHED, credentials, ...init, headers });
    };
    const response = await sent();
    if (response.status !== 401 || token === undefined) return response;
    await response.body?.cancel();
    return sent();
  }
}

function withQuery(path: string, query: Readonly<Record<string, string | number | null>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  return given.length === 0 ? path : `${path}?${given.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

function told(error: unknown, deadline: Deadline, signal: AbortSignal): TenureError {
  if (signal.aborted) return new TenureError('aborted', 'The request was given up.');
  if (deadline.isOver) return new TenureError('deadline', 'No answer came in time.');
  return asTenureError(error);
}

async function refuseFailure(response: Response): Promise<void> {
  if (response.ok) return;
  const problem: unknown = await response.json().catch(() => null);
  const { code, detail } = isRecord(problem) ? problem : {};
  throw new TenureError(
    typeof code === 'string' ? code : `http_${response.status}`,
    typeof detail === 'string' ? detail : `Answered with ${response.status}.`,
    response.status,
    retryAfterMs(response.headers.get('retry-after')),
  );
}
