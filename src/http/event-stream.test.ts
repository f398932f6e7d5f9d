import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../test/support/until.js';
import { toProblem } from '../api/to-problem.js';
import { type EventStream, EventStreams } from './event-stream.js';

describe('An event stream', () => {
  let streams: EventStreams;
  let server: Server;
  let work: (stream: EventStream) => Promise<void>;
  let over: AbortController;
  beforeEach(async () => {
    over = new AbortController();
    streams = new EventStreams(toProblem, { request: () => undefined }, 20);
    server = createServer((_, response) => {
      void streams.answer(response, 'id', (stream) => work(stream), { until: over.signal });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function ask(method = 'GET'): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', method, agent: false }, resolve).on('error', reject);
    });
  }

  async function textOf(answer: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    return text;
  }

  it('drops a client that does not take what was sent', async () => {
    let isOver = false;
    work = async (stream) => {
      while (!stream.signal.aborted) {
        stream.sendText(`${'x'.repeat(100_000)}\n`);
        await stream.room();
      }
      isOver = true;
    };
    const answer = await ask();
    answer.on('error', () => undefined);
    answer.pause();
    await until('the client to be dropped', () => isOver);
    await until('nobody to be left', () => streams.size === 0);
  });

  it('ends with who may listen no longer', async () => {
    work = (stream) => new Promise((resolve) => stream.signal.addEventListener('abort', () => resolve()));
    const text = textOf(await ask());
    await until('it to be open', () => streams.size === 1);
    over.abort();
    expect(await text).toMatch(/^retry: \d+\n\n$/);
  });

  it('ends at a stop, with a time to come again that differs from client to client', async () => {
    work = (stream) => new Promise((resolve) => stream.signal.addEventListener('abort', () => resolve()));
    const texts = [textOf(await ask()), textOf(await ask()), textOf(await ask())];
    await until('all to be open', () => streams.size === 3);
    streams.close();
    const told = (await Promise.all(texts)).map((text) => /^retry: \d+\n\nretry: (\d+)\n\n$/.exec(text)?.[1]);
    expect(told).not.toContain(undefined);
    expect(new Set(told).size).toBeGreaterThan(1);
  });

  it('has no body for HEAD', async () => {
    work = () => Promise.reject(new Error('nothing is to be sent'));
    const answer = await ask('HEAD');
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await textOf(answer)).toBe('');
  });
});
