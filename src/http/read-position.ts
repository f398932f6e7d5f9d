import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { from, map, type Observable, switchMap } from 'rxjs';
import { z } from 'zod';
import { ProblemError } from './problem.js';
import { Reply } from './reply.js';
import { replyOf } from './reply-adapter.js';

const READS = 'tenure:reads-at-position';
/** What a wait for a position may be refused with. */
export const REACHING = [
  'invalid_request',
  'position_unknown',
  'projection_behind',
  'event_store_unavailable',
  'too_many_waiting',
] as const;
/** `minPosition`, given once at most; what it must be is said by who waits for it. */
export const minPositionParameter = z.string({ error: 'minPosition may be given once.' }).optional();

/** Says that a route takes `minPosition`, and tells in `Tenure-Position` up to where its answer was read at least. */
export const ReadsAtPosition = (): MethodDecorator => SetMetadata<string, true>(READS, true);

/** What is read, and how far it is. */
export interface PositionedReads {
  /** The last position that is in the read models for certain. */
  readonly handled: string;
  /** Comes back once a position is read. @throws ProblemError of `REACHING` */
  reach(minPosition: string): Promise<void>;
}

/** Waits for the `minPosition` of a request and tells the position of its answer, on every route that says so. */
export class ReadPositionInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly reads: PositionedReads,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (this.reflector.get<true | undefined>(READS, context.getHandler()) === undefined) return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const { statusCode } = context.switchToHttp().getResponse<Response>();
    return from(this.#reached(request.query.minPosition)).pipe(
      switchMap((position) =>
        next.handle().pipe(map((answer) => withPosition(replyOf(answer, statusCode), position))),
      ),
    );
  }

  /** The position up to which an answer that is read from now on tells everything. */
  async #reached(minPosition: unknown): Promise<string> {
    const asked = minPositionParameter.safeParse(minPosition);
    if (!asked.success) throw new ProblemError('invalid_request', 'minPosition may be given once.');
    if (asked.data !== undefined) await this.reads.reach(asked.data);
    return this.reads.handled;
  }
}

function withPosition({ status, headers, body }: Reply, position: string): Reply {
  return new Reply(status, { ...headers, 'tenure-position': position }, body);
}
