import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { LineStreams } from './line-stream.js';
import { ProblemError } from './problem.js';

describe('An answer of lines', () => {
  let server: Server;
  let streams: LineStreams;
  let failed: unknown[];
  let made: number;
  let left: boolean;
  let outcome: Promise<unknown>;

  beforeEach(() => {
    [failed, made, left] = [[], 0, false];
    streams = streamsThatEndWithin(10_000);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function streamsThatEndWithin(ms: number): LineStreams {
    const failures = { request: (_: unknown, __: unknown, error: unknown) => failed.push(error) };
    return new LineStreams((error) => new ProblemError('internal_error', String(error)), failures, ms);
  }

  async function* values(count: number, failsAt: number): AsyncGenerator<unknown> {
    try {
      for (made = 0; made < count; made += 1) {
        if (made === failsAt) throw new Error('the store is away');
        yield { n: made, padding: 'x'.repeat(1_000) };
      }
    } finally {
      left = true;
    }
  }

  async function* texts(isStopping: () => boolean): AsyncGenerator<string> {
    for await (const value of values(1_000_000, -1)) {
      yield `${JSON.stringify(value)}\n`;
      if (isStopping()) return yield '"more"\n';
    }
  }

  /** Asks a server that answers with so many lines, of which one may fail. */
  function ask(count: number, failsAt = -1): Promise<IncomingMessage> {
    return askFor((response) => streams.answer(response, 'r', values(count, failsAt)));
  }

  function askFor(answer: (response: ServerResponse) => Promise<void>): Promise<IncomingMessage> {
    server = createServer((_, response) => {
      outcome = answer(response).catch((error: unknown) => {
        response.writeHead(503).end();
        return error;
      });
    });
    return new Promise((resolve, reject) => {
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        get({ port, host: '127.0.0.1' }, resolve).on('error', reject);
      });
    });
  }

  it('has each value as JSON on a line of its own, in order', async () => {
    const answer = await ask(50);
    const lines = (await text(answer)).split('\n');
    expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(lines.slice(0, -1).map((line) => JSON.parse(line).n)).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    );
    expect(lines.at(-1)).toBe('');
    expect(streams.size).toBe(0);
  });

  it('is made no faster than it is read, and ends with the service though nobody reads it', async () => {
    const answer = await ask(1_000_000);
    answer.pause();
    let before = -1;
    while (made !== before) {
      before = made;
      await pause(50);
    }
    expect(made).toBeLessThan(100_000);
    streams.close();
    await outcome;
    expect({ left, open: streams.size, failed }).toEqual({ left: true, open: 0, failed: [] });
  });

  it('that says where to go on says so in a stop to who reads it, and is cut where nobody does', async () => {
    const telling = (response: ServerResponse) => streams.answerTexts(response, 'r', texts);
    const answer = await askFor(telling);
    const read = text(answer);
    await once(answer, 'data');
    streams.close();
    expect((await read).endsWith('\n"more"\n')).toBe(true);
    await outcome;
    server.close();

    streams = streamsThatEndWithin(50);
    const unread = await askFor(telling);
    unread.pause();
    streams.close();
    await outcome;
    expect({ left, open: streams.size, failed }).toEqual({ left: true, open: 0, failed: [] });
  });

  it('lets go of what it reads when its reader leaves', async () => {
    const answer = await ask(1_000_000);
    answer.destroy();
    await outcome;
    expect({ left, failed }).toEqual({ left: true, failed: [] });
  });

  it('is of nobody where its reader left before it began', async () => {
    const answer = async (response: ServerResponse): Promise<void> => {
      client.destroy();
      await once(response, 'close');
      await streams.answer(response, 'r', values(1_000_000, -1));
    };
    server = createServer((_, response) => {
      outcome = answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    await once(client, 'error');
    await outcome;
    expect({ left, made, open: streams.size, failed }).toEqual({ left: true, made: 0, open: 0, failed: [] });
  });

  it('is a problem where nothing could be made, and is cut where the rest cannot be', async () => {
    expect((await ask(10, 0)).statusCode).toBe(503);
    expect(await outcome).toEqual(new Error('the store is away'));
    server.close();
    const answer = await ask(1_000, 500);
    await expect(text(answer)).rejects.toThrow('aborted');
    expect(failed).toEqual([new Error('the store is away')]);
  });
});
