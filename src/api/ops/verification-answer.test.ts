import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express, { type Request, type Response } from 'express';
import { EventStreams } from '../../http/event-stream.js';
import type { OnProgress } from '../../projections/rebuild/scratch-generation.js';
import { toProblem } from '../to-problem.js';
import { answerVerification } from './verification-answer.js';

describe('A verification', () => {
  let server: Server;
  /** How the work ended. */
  let ended: Promise<unknown>;
  beforeEach(async () => {
    let end: (how: unknown) => void = () => undefined;
    ended = new Promise((resolve) => {
      end = resolve;
    });
    /** Goes on for long, if it is let. */
    const verify = async (_users: unknown, _actor: string, onProgress: OnProgress): Promise<never> => {
      try {
        for (let turn = 0; turn < 200_000; turn += 1) {
          onProgress('1', '2', 1);
          await nextTurn();
        }
        throw new Error('went on to the end');
      } catch (error) {
        end(error);
        throw error;
      }
    };
    const streams = new EventStreams(toProblem, { request: () => undefined });
    const answer = (request: Request, response: Response): Promise<void> =>
      answerVerification({ verify }, { users: 'all', actor: 'ops' }, { request, response, streams });
    const app = express()
      .post('/', answer)
      .post('/later', async (request, response) => {
        await once(response, 'close');
        return answer(request, response);
      });
    server = createServer(app).listen(0);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(['application/json', 'text/event-stream'])('ends when the caller of %s leaves', async (accept) => {
    const { port } = server.address() as AddressInfo;
    const sent = request({ port, method: 'POST', headers: { accept } }).on('error', () => undefined);
    sent.end();
    server.once('request', () => setImmediate(() => sent.destroy()));
    expect(await ended).toMatchObject({ name: 'AbortError' });
  });

  it('ends as it begins where its caller has left by then', async () => {
    const { port } = server.address() as AddressInfo;
    const sent = request({ port, method: 'POST', path: '/later' }).on('error', () => undefined);
    sent.end();
    server.once('request', () => setImmediate(() => sent.destroy()));
    expect(await ended).toMatchObject({ name: 'AbortError' });
  });
});
