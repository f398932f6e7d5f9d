/** What is needed of a request of `node:http` or Express. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the path before it was cut to what lies below a mount. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Where a parser has read the body already: what it made of it. */
  readonly body?: unknown;
}
export interface NodeResponse {
  statusCode: number;
  readonly destroyed: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}
export type NodeHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error: unknown) => void,
) => void;

/** The most that a body may have, in bytes: nothing that the handlers of this package take is larger. */
const MOST_BYTES = 65_536;

/**
 * A handler of the `fetch` kind, such as `tenureHandler` makes, for Express and `node:http`. What it throws goes to `next`, or
 * ends the connection. @param origin scheme and host of this application as browsers see it: `https://app.example.com`
 */
export function toNodeHandler(handle: (request: Request) => Promise<Response>, origin: string): NodeHandler {
  return (request, response, next) => {
    answer(handle, origin, request, response).catch((error: unknown) => {
      // Who has left is told nothing, and what their leaving ended is no fault.
      if (response.destroyed) return;
      if (next === undefined) response.destroy();
      else next(error);
    });
  };
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  origin: string,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const body = await bodyOf(request);
  if (body === 'too_large') {
    response.statusCode = 413;
    response.end();
    return;
  }
  const url = new URL(request.originalUrl ?? request.url ?? '/', origin);
  const { method = 'GET' } = request;
  const content = body.length === 0 ? {} : { body };
  const asked = new Request(url, { method, headers: headersOf(request), signal: gone.signal, ...content });
  await send(await handle(asked), response, gone.signal);
}

function headersOf({ headers }: NodeRequest): Headers {
  const copied = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    for (const each of Array.isArray(value) ? value : [value]) copied.append(name, each);
  }
  return copied;
}

async function bodyOf(request: NodeRequest): Promise<Uint8Array<ArrayBuffer> | 'too_large'> {
  if (request.method === 'GET' || request.method === 'HEAD') return new Uint8Array();
  if (request.body !== undefined) return new TextEncoder().encode(JSON.stringify(request.body));
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > MOST_BYTES) return 'too_large';
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function send(answered: Response, response: NodeResponse, gone: AbortSignal): Promise<void> {
  response.statusCode = answered.status;
  answered.headers.forEach((value, name) => {
    response.setHeader(name, value);
  });
  const reader = answered.body?.getReader();
  if (reader === undefined) {
    response.end();
    return;
  }
  // A body that the leaving has ended already refuses to be given up; nothing is left to give up then.
  const leave = (): void => void reader.cancel().catch(() => undefined);
  gone.addEventListener('abort', leave);
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (!response.write(piece.value)) await drained(response);
  }
  gone.removeEventListener('abort', leave);
  response.end();
}

function drained(response: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
    if (response.destroyed) done();
  });
}
