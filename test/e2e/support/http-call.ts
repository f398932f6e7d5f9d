import { type IncomingHttpHeaders, request } from 'node:http';

export interface Call {
  readonly method?: string;
  /** Sent as it is: nothing is normalised or encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Address the call comes from; all of 127.0.0.0/8 is ours. */
  readonly from?: string;
  /** Hangs up when no answer came by then; the call is rejected. */
  readonly giveUpAfterMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
}

/** One request on a connection of its own. */
export function call(
  url: string,
  { method = 'GET', path, headers = {}, body, from, giveUpAfterMs }: Call,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        headers: { ...lengthOf(body, headers), ...headers },
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text),
          });
        });
      },
    );
    sent.on('error', reject);
    if (giveUpAfterMs !== undefined) {
      sent.setTimeout(giveUpAfterMs, () => sent.destroy(new Error('gave up')));
    }
    sent.end(body);
  });
}

function lengthOf(
  body: string | Buffer | undefined,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, number>> {
  return body === undefined || 'transfer-encoding' in headers
    ? {}
    : { 'content-length': Buffer.byteLength(body) };
}
