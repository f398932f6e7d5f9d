import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';
import { comparePositions } from '../events/stored-event.js';
import { Reply } from './reply.js';
import { replyOf } from './reply-adapter.js';

const position = z.string().regex(/^\d{1,20}$/);
/** What an answer to a write says of the log: the position of its event, or of those of its `results`. */
const written = z.object({
  position: position.nullish().catch(null),
  results: z
    .array(z.object({ position: position.nullish().catch(null) }))
    .catch([])
    .default([]),
});

/**
 * Tells the position that a request wrote in the header `Tenure-Position`, too, so that clients need not know the body: it is
 * what `minPosition` takes. It stands within the interceptor that keeps replies, so that a repeat says it as well.
 */
export class WrittenPositionInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method } = context.switchToHttp().getRequest<Request>();
    if (method === 'GET' || method === 'HEAD') return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((answer: unknown) => {
        // A handler that sends its answer itself gives none.
        if (answer === undefined || response.headersSent) return answer;
        return withWrittenPosition(replyOf(answer, response.statusCode));
      }),
    );
  }
}

/** The reply with the greatest position that its body tells. */
export function withWrittenPosition(reply: Reply): Reply {
  if (reply.body === null || !reply.body.includes('"position":"')) return reply;
  const found = written.safeParse(JSON.parse(reply.body));
  if (!found.success) return reply;
  const all = [found.data.position, ...found.data.results.map((each) => each.position)];
  const greatest = all
    .flatMap((each) => each ?? [])
    .sort(comparePositions)
    .at(-1);
  if (greatest === undefined) return reply;
  return new Reply(reply.status, { ...reply.headers, 'tenure-position': greatest }, reply.body);
}
