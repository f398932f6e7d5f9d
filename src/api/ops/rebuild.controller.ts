import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { type Caller, CallerOf, StableIdOf } from '../../auth/caller.js';
import { EventStreams } from '../../http/event-stream.js';
import { keyReused } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply, sendReply } from '../../http/reply.js';
import { bodyPipe, optionalBodyPipe } from '../../http/validation.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { REBUILDING } from './projection.examples.js';
import {
  type RebuildRequest,
  rebuildRequest,
  rebuildResponse,
  type VerifyRequest,
  verificationResponse,
  verifyRequest,
} from './projection.schemas.js';
import { DescribeProjection, wantsEvents } from './projection-routes.js';
import { watchRebuild } from './rebuild-watch.js';
import { answerVerification } from './verification-answer.js';

/** Long work on a projection, and how far it is. */
@ApiTags('Projections')
@Controller('v1/ops/projections')
export class RebuildController {
  constructor(
    @Inject(PROJECTIONS) private readonly projections: Projections,
    private readonly streams: EventStreams,
  ) {}

  @Post(':name/rebuild')
  @DescribeProjection({
    summary: 'Rebuild beside what is read; then compare, and `swap`, `keep` or `drop` (a dry run) the build',
    ok: {
      status: 202,
      description: 'Begun; running instances bring it to its end. `Location` tells how far it is',
      schema: rebuildResponse,
    },
    body: rebuildRequest,
    idempotency: 'plain',
    problems: ['rebuild_in_progress'],
  })
  async rebuild(
    @Body(bodyPipe(rebuildRequest)) asked: RebuildRequest,
    @CallerOf() { actor }: Caller,
    @StableIdOf() id: string,
  ): Promise<Reply> {
    const { rebuilds } = this.projections;
    const rebuild = await rebuilds.rebuildOf(await rebuilds.order({ ...asked, id, actor }));
    if (rebuild?.afterwards !== asked.afterwards || rebuild.reason !== asked.reason) throw keyReused();
    return jsonReply(202, rebuild, { location: `/v1/ops/projections/${ENTITLEMENTS}/rebuild` });
  }

  @Get(':name/rebuild')
  @DescribeProjection({
    summary: 'The rebuild under way, or else the last one that was ordered here',
    ok: {
      description: 'How far it is, and at its end what came of it',
      schema: rebuildResponse,
      stream: {
        description: 'An event `progress` with the same JSON at each change, and `done` with the last one',
        example: `event: progress\ndata: ${JSON.stringify(REBUILDING)}\n\n`,
      },
    },
    problems: [],
  })
  async progress(
    @CallerOf() { requestId }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { rebuilds } = this.projections;
    const rebuild = await rebuilds.rebuildOf('latest');
    if (rebuild === null) {
      throw new ProblemError('not_found', 'No rebuild is under way, and none was ordered.');
    }
    if (!wantsEvents(request)) return sendReply(response, jsonReply(200, rebuild), requestId);
    await this.streams.answer(response, requestId, (stream) =>
      watchRebuild(rebuilds, rebuild.generation, stream),
    );
  }

  @Post(':name/verify')
  @DescribeProjection({
    summary: 'Fold the log again, for all users or so many at random, and compare it with what is read',
    ok: {
      description:
        'Every row that differs is counted, the first hundred are told. Ends early when the caller leaves',
      schema: verificationResponse,
      stream: {
        description: 'Events `progress` with `handled`, `until` and `events`, then `done` with the report',
        example: 'event: progress\ndata: {"handled":"1200","until":"1842","events":1200}\n\n',
      },
    },
    body: verifyRequest,
    problems: [
      'generation_behind',
      'generation_faulted',
      'verification_in_progress',
      'event_store_unavailable',
    ],
  })
  async verify(
    @Body(optionalBodyPipe(verifyRequest)) { users }: VerifyRequest,
    @CallerOf() { actor }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const to = { request, response, streams: this.streams };
    await answerVerification(this.projections.rebuilds, { users, actor }, to);
  }
}
