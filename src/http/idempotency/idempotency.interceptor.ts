import { createHash } from 'node:crypto';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { rawBodyOf } from '../body.js';
import { ProblemError, type ToProblem } from '../problem.js';
import { problemReply, Reply } from '../reply.js';
import { replyOf } from '../reply-adapter.js';
import { requestIdOf } from '../request-id.js';
import { isKeptProblem, isKeptStatus } from './answers-kept.js';
import { type KeptAs, keptAsOf } from './idempotent.js';
import type { KeptReplies } from './kept-replies.js';
import { canonicalPath, idempotencyKeyOf, keyReused, purposeOfReply } from './request-key.js';

/** Seconds after which a caller may ask again for what is under way. */
const RETRY_AFTER_SECONDS = '1';

export interface IdempotencyOptions {
  readonly reflector: Reflector;
  readonly replies: Pick<KeptReplies, 'claim' | 'keep' | 'release'>;
  /** Who sends a request, as it stays the same from one to the next. */
  readonly callerOf: (request: Request) => string;
  readonly toProblem: ToProblem;
  /** Seals replies that show a secret; `purpose` is bound to what it seals. */
  readonly secrets: {
    seal(text: string, purpose: string): string;
    open(sealed: string, purpose: string): string;
  };
}

/**
 * Does once what is said twice (DESIGN 10): the reply to a keyed request of an `Idempotent` route is kept, refusals of its
 * contents too, and sent again to who repeats it. It stands behind the guards: who may not use a route meets no reply of it.
 */
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly options: IdempotencyOptions) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const keptAs = keptAsOf(this.options.reflector, context.getHandler());
    if (keptAs === undefined) return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const key = idempotencyKeyOf(request);
    if (key === null) return next.handle();
    const { statusCode } = context.switchToHttp().getResponse<Response>();
    const handle = async (): Promise<Reply> =>
      replyOf(await lastValueFrom(next.handle(), { defaultValue: undefined }), statusCode);
    return of(await this.#once({ request, key, keptAs }, handle));
  }

  /** @throws ProblemError `idempotency_key_reused`, `idempotency_key_in_use`, and what `handle` does */
  async #once(
    { request, key, keptAs }: { readonly request: Request; readonly key: string; readonly keptAs: KeptAs },
    handle: () => Promise<Reply>,
  ): Promise<Reply> {
    const { replies, callerOf, toProblem } = this.options;
    const id = digestOf([callerOf(request), request.method, canonicalPath(request), key]);
    const query = request.originalUrl.split('?').slice(1).join('?');
    const found = await replies.claim(id, digestOf([query, digestOf(rawBodyOf(request))]));
    if (found.outcome === 'reused') throw keyReused();
    if (found.outcome === 'in_use') {
      throw new ProblemError(
        'idempotency_key_in_use',
        'The first request with this Idempotency-Key is still under way. Ask again.',
        { 'retry-after': RETRY_AFTER_SECONDS },
      );
    }
    const { seal, open } = this.#sealing(keptAs, id);
    if (found.outcome === 'kept') return open(found.reply);
    const { claim } = found;
    try {
      const reply = await handle();
      await (isKeptStatus(reply.status) ? replies.keep(claim, seal(reply)) : replies.release(claim));
      return reply;
    } catch (error) {
      const problem = toProblem(error);
      await (isKeptProblem(problem)
        ? replies.keep(claim, seal(problemReply(problem, requestIdOf(request))))
        : replies.release(claim));
      throw error;
    }
  }

  #sealing(keptAs: KeptAs, id: string) {
    const { secrets } = this.options;
    const asItIs = (reply: Reply): Reply => reply;
    if (keptAs === 'plain') return { seal: asItIs, open: asItIs };
    const purpose = purposeOfReply(id);
    return {
      seal: (reply: Reply) => withBody(reply, (body) => secrets.seal(body, purpose)),
      open: (reply: Reply) => withBody(reply, (body) => secrets.open(body, purpose)),
    };
  }
}

function withBody({ status, headers, body }: Reply, change: (body: string) => string): Reply {
  return new Reply(status, headers, body === null ? null : change(body));
}

function digestOf(what: readonly string[] | Buffer): string {
  return createHash('sha256')
    .update(Buffer.isBuffer(what) ? what : JSON.stringify(what))
    .digest('hex');
}
