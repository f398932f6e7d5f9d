import type { Request, Response } from 'express';
import type { EventStreams } from '../../http/event-stream.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import type { RebuildRuntime } from '../../projections/rebuild/rebuild-runtime.js';
import { wantsEvents } from './projection-routes.js';

/** An event goes out at most this often, in milliseconds. */
const PROGRESS_MS = 250;

/** Verifies and answers with the report, or with events on the way to it. It ends early when the caller leaves. */
export async function answerVerification(
  rebuilds: { readonly verify: (...asked: Parameters<RebuildRuntime['verify']>) => Promise<unknown> },
  { users, actor }: { readonly users: number | 'all'; readonly actor: string },
  to: { readonly request: Request; readonly response: Response; readonly streams: EventStreams },
): Promise<void> {
  const { request, response, streams } = to;
  const requestId = requestIdOf(request);
  if (wantsEvents(request)) {
    return streams.answer(response, requestId, async (stream) => {
      let toldAt = Number.NEGATIVE_INFINITY;
      const report = await rebuilds.verify(users, actor, (handled, until, events) => {
        stream.signal.throwIfAborted();
        if (performance.now() - toldAt < PROGRESS_MS || !stream.hasRoom) return;
        toldAt = performance.now();
        stream.send('progress', { handled, until, events });
      });
      stream.send('done', report);
    });
  }
  const left = new AbortController();
  response.once('close', () => left.abort());
  if (response.destroyed) left.abort(); // is told of by no event any more
  try {
    const report = await rebuilds.verify(users, actor, () => left.signal.throwIfAborted());
    sendReply(response, jsonReply(200, report), requestId);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
}
