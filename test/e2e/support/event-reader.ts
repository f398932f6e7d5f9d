import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { AUTHORIZED } from '../../support/service.js';
import { until } from '../../support/until.js';

export interface ReadEvent {
  readonly event: string;
  /** Where a client goes on; `null` of events that have none. */
  readonly id: string | null;
  readonly data: unknown;
}

/** A stream of server-sent events, as it comes in. */
export interface EventReader {
  readonly response: IncomingMessage;
  readonly events: readonly ReadEvent[];
  /** Whether the server has ended the stream in order. */
  readonly ended: Promise<boolean>;
  /** The first event of that name, which may still have to come. */
  first(event: string): Promise<unknown>;
  /** Hangs up. */
  leave(): void;
}

/** Asks for a stream of events, with the admin key unless the headers hold another one. */
export async function readEvents(
  url: string,
  method: string,
  path: string,
  value?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const events: ReadEvent[] = [];
  let sent: ClientRequest | undefined;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent = request(new URL(path, url), {
      method,
      agent: false,
      headers: {
        ...AUTHORIZED,
        accept: 'text/event-stream',
        ...(value === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(value === undefined ? undefined : JSON.stringify(value));
  });
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const parts = `${rest}${chunk}`.split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const found = /^event: (\w+)\n(?:id: (.*)\n)?data: (.*)$/.exec(part);
      if (found !== null) {
        events.push({ event: found[1] ?? '', id: found[2] ?? null, data: JSON.parse(found[3] ?? '') });
      }
    }
  });
  const ended = new Promise<boolean>((resolve) => {
    response.on('end', () => resolve(true));
    response.on('error', () => resolve(false));
  });
  return {
    response,
    events,
    ended,
    first: async (event) =>
      (await until(`an event ${event}`, () => events.find((each) => each.event === event))).data,
    leave: () => sent?.destroy(),
  };
}
