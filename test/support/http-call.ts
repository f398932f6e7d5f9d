import { type IncomingHttpHeaders, request } from 'node:http';
import { z } from 'zod';
import { until } from './until.js';

export interface Call {
  readonly method?: string;
  /** Sent as it is: nothing is normalised or encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Several chunks are sent without a length, as `transfer-encoding: chunked`. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** Address the call comes from; all of 127.0.0.0/8 is ours. */
  readonly from?: string;
  /** Hangs up when it is aborted; the call is rejected. */
  readonly leaves?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON, `null` when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name, and fail when a name is not there
  readonly body: any;
}

/** An answer with its body read as JSON where it says that it is. */
export function answerOf(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const isJson = text !== '' && /^application\/(?:json|[\w.-]+\+json)\b/.test(headers['content-type'] ?? '');
  return { status, headers, text, body: isJson ? JSON.parse(text) : null };
}

/** One request on a connection of its own. */
export function call(
  url: string,
  { method = 'GET', path, headers = {}, body, from, leaves }: Call,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const chunks = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? null : body;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        headers: { ...(chunks === null ? lengthOf(body, headers) : {}), ...headers },
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
        ...(leaves === undefined ? {} : { signal: leaves }),
      },
      (response) => {
        const received: Buffer[] = [];
        response.on('data', (chunk: Buffer) => received.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(received).toString('utf8');
          resolve(answerOf(response.statusCode ?? 0, response.headers, text));
        });
      },
    );
    sent.on('error', reject);
    if (chunks === null) sent.end(body);
    else {
      for (const chunk of chunks) sent.write(chunk);
      sent.end();
    }
  });
}

/** Asks again as long as the read model is behind the position that is asked for: it is waited for five seconds, which are few for a busy machine. */
export function whenLevel(ask: () => Promise<Answer>): Promise<Answer> {
  return until('the read model is level', async () => {
    const answer = await ask();
    return answer.body?.code !== 'projection_behind' && answer;
  });
}

function lengthOf(body: Call['body'], headers: Readonly<Record<string, string>>): Record<string, number> {
  if ((typeof body !== 'string' && !(body instanceof Uint8Array)) || 'transfer-encoding' in headers)
    return {};
  return { 'content-length': Buffer.byteLength(body) };
}

const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
});

/** The code of an answer that must be a problem in every respect (RFC 9457). */
export function problemCode(answer: Answer): string {
  const problem = problemSchema.parse(answer.body);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(problem.status).toBe(answer.status);
  expect(problem.type).toBe(`urn:tenure:problem:${problem.code}`);
  expect(answer.text).not.toMatch(/\bat .*\.(?:js|ts):\d+|node_modules/);
  return problem.code;
}
