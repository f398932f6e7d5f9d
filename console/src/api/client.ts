import { createContext, useContext } from 'react';
import type { StreamEvent } from '../../../packages/client/src/browser/event-stream.js';
import { readEvents } from './server-events.js';

/** What went wrong, as the service says it (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Talks to the service of this page with the key that the person gave. */
export class Client {
  constructor(
    private readonly key: string,
    private readonly onUnauthorized: () => void,
  ) {}

  /** The answer's JSON. Throws a `Problem`. */
  async get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
    return (await this.#ask('GET', path, { signal })).json() as Promise<Answer>;
  }

  /** Makes or changes something, once however often it is repeated by the network. Throws a `Problem`. */
  async send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const key = method === 'POST' ? { key: crypto.randomUUID() } : {};
    const response = await this.#ask(method, path, { body, ...key });
    return response.status === 204 ? null : response.json();
  }

  /** The same for something of a user; comes back once what is read of the user has it. */
  async sendFor(userId: string, ...sent: Parameters<Client['send']>): Promise<void> {
    const { position } = Object(await this.send(...sent)) as { readonly position?: unknown };
    if (typeof position !== 'string') return;
    await this.get(`/v1/users/${encodeURIComponent(userId)}/entitlements?minPosition=${position}`);
  }

  /** Events as they come, until `signal` is aborted or the service ends the stream. Throws a `Problem`. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const response = await this.#ask('GET', path, { signal, accept: 'text/event-stream' });
    if (response.body !== null) yield* readEvents(response.body);
  }

  async #ask(
    method: string,
    path: string,
    {
      body,
      signal,
      key,
      accept = 'application/json',
    }: { body?: unknown; signal?: AbortSignal | undefined; key?: string; accept?: string },
  ): Promise<Response> {
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        accept,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      cache: 'no-store',
    }).catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      throw new Problem(0, 'unreachable', 'The service cannot be reached.');
    });
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status === 401) this.onUnauthorized();
    throw problem;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const told: { code?: unknown; title?: unknown; detail?: unknown } = await response.json().catch(() => ({}));
  const { code, title, detail } = told;
  const words = [detail, title].find((text) => typeof text === 'string') ?? `It answered ${response.status}.`;
  return new Problem(response.status, typeof code === 'string' ? code : 'unknown', String(words));
}

export const ClientContext = createContext<Client | null>(null);

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('nobody has signed in');
  return client;
}
