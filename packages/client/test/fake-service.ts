import type { Snapshot } from '../src/browser/snapshot.js';
import { etagOf } from './snapshots.js';

type Route = 'snapshot' | 'stream' | 'plans' | 'checkout';

/** A request as the service saw it. */
export interface Seen {
  readonly route: Route;
  readonly bearer: string | null;
  readonly ifNoneMatch: string | null;
  readonly lastEventId: string | null;
  readonly minPosition: string | null;
  readonly wait: string | null;
  readonly body: unknown;
}

/** What a service of the tests answers in place of what it would. */
export type Instead = (seen: Seen) => Promise<Response> | Response | 'unreachable' | 'held back' | null;

/** The service as the browser sees it, in memory: one signed-in user, whose snapshot tests change. */
export class FakeService {
  readonly seen: Seen[] = [];
  instead: Instead = () => null;
  plans: unknown = { plans: [], addons: [] };
  #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #waits = new Set<() => void>();

  constructor(public snapshot: Snapshot) {}

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const headers = new Headers(init.headers);
    const seen: Seen = {
      route: routeOf(pathname),
      bearer: headers.get('authorization'),
      ifNoneMatch: headers.get('if-none-match'),
      lastEventId: headers.get('last-event-id'),
      minPosition: searchParams.get('minPosition'),
      wait: searchParams.get('wait'),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : null,
    };
    this.seen.push(seen);
    const instead = this.instead(seen);
    if (instead === 'unreachable') throw new TypeError('fetch failed');
    if (instead === 'held back') return unlessAborted(init.signal);
    return instead ?? this.#answer(seen, init.signal);
  };

  count(route: Route): number {
    return this.seen.filter((seen) => seen.route === route).length;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Another snapshot holds, and streams are told so. */
  push(snapshot: Snapshot, type: 'change' | 'update' = 'change'): void {
    this.change(snapshot);
    for (const stream of this.#streams) stream.enqueue(eventOf(type, snapshot));
  }

  /** Another snapshot holds, and no stream is told; long polls are. */
  change(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    for (const end of [...this.#waits]) end();
  }

  heartbeat(): void {
    for (const stream of this.#streams) stream.enqueue(new TextEncoder().encode(':\n\n'));
  }

  /** Ends all streams: as a server that drains them, or as a network that breaks. */
  cut(how: 'drained' | 'broken'): void {
    for (const stream of this.#streams) {
      if (how === 'drained') stream.close();
      else stream.error(new TypeError('network'));
    }
    this.#streams.clear();
  }

  async #answer(seen: Seen, signal: AbortSignal | null | undefined): Promise<Response> {
    switch (seen.route) {
      case 'snapshot':
        if (seen.wait !== null && seen.ifNoneMatch === etagOf(this.snapshot)) await this.#change(signal);
        return snapshotAnswer(this.snapshot, seen.ifNoneMatch);
      case 'stream':
        return this.#stream(signal);
      case 'plans':
        return Response.json(this.plans);
      case 'checkout': {
        const url = 'https://checkout.stripe.com/c/pay/cs_1';
        const body = { kind: 'checkout', sessionId: 'cs_1', url, clientSecret: null, expiresAt: null };
        return Response.json(body, { headers: { 'tenure-position': '200' } });
      }
    }
  }

  #change(signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waits.delete(end);
        resolve();
      };
      this.#waits.add(end);
      signal?.addEventListener('abort', () => {
        this.#waits.delete(end);
        reject(signal.reason);
      });
    });
  }

  #stream(signal: AbortSignal | null | undefined): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    const leave = () => {
      this.#streams.delete(own);
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#streams.add(controller);
        controller.enqueue(eventOf('snapshot', this.snapshot));
        signal?.addEventListener('abort', leave);
      },
      cancel: leave,
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }
}

/** A problem as the service tells it. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ code, detail: code }, { status, headers });
}

/** What the route of snapshots answers. */
export function snapshotAnswer(snapshot: Snapshot, ifNoneMatch: string | null = null): Response {
  const etag = etagOf(snapshot);
  if (ifNoneMatch === etag) return new Response(null, { status: 304, headers: { etag } });
  return Response.json(snapshot, { headers: { etag } });
}

function eventOf(type: string, snapshot: Snapshot): Uint8Array {
  const data = JSON.stringify({ ...snapshot, etag: etagOf(snapshot) });
  return new TextEncoder().encode(`event: ${type}\nid: at-${snapshot.position}\ndata: ${data}\n\n`);
}

function routeOf(pathname: string): Route {
  if (pathname.endsWith('/v1/me/entitlements')) return 'snapshot';
  if (pathname.endsWith('/v1/me/entitlements/stream')) return 'stream';
  return pathname.endsWith('/v1/plans') ? 'plans' : 'checkout';
}

function unlessAborted(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}
