import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import { BytesReply, emptyReply, jsonReply, Reply, sendReply } from './reply.js';
import { requestIdOf } from './request-id.js';

/**
 * Express under Nest, answering in the one way of this service: of what the handler of a route returns, a `Reply` goes
 * out as it is, nothing as an answer without a body, and everything else as JSON with the status of the route.
 */
export class ReplyAdapter extends ExpressAdapter {
  /** Nest has set the status of the route before. */
  override reply(response: Response, answer: unknown, status = response.statusCode): void {
    const reply = answer instanceof BytesReply ? answer : replyOf(answer, status);
    sendReply(response, reply, requestIdOf(response.req));
  }
}

/** What the handler of a route answered, as it is sent; `status` is that of the route. */
export function replyOf(answer: unknown, status: number): Reply {
  if (answer instanceof Reply) return answer;
  return answer === undefined ? emptyReply(status) : jsonReply(status, answer);
}
