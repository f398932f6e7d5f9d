import { createServer, get, type IncomingMessage, type Server } from 'node:http';
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
    streams = new LineStreams((error) => new ProblemError('internal_error', String(error)), {
      request: (_, __, error) => failed.push(error),
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

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

  /** Asks a server that answers with so many lines, of which one may fail. */
  function ask(count: number, failsAt = -1): Promise<IncomingMessage> {
    server = createServer((_, response) => {
      outcome = streams.answer(response, 'r', values(count, failsAt)).catch((error: unknown) => {
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

  it('lets go of what it reads when its reader leaves', async () => {
    const answer = await ask(1_000_000);
    answer.destroy();
    await outcome;
    expect({ left, failed }).toEqual({ left: true, failed: [] });
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
