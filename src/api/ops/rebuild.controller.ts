import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { principalOf } from '../../auth/require-key.js';
import { Describe } from '../../http/describe.js';
import { EventStreams } from '../../http/event-stream.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { parseBody } from '../schemas.js';
import {
  rebuildRequest,
  rebuildResponse,
  verificationResponse,
  verifyRequest,
} from './projection.schemas.js';
import { BODY, checkProjection, LOOK, NAME_PARAMETER, NAMED, wantsEvents } from './projection-routes.js';
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
  @HttpCode(202)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'Rebuild beside what is read; then compare, and `swap`, `keep` or `drop` (a dry run) the build',
    ok: {
      status: 202,
      description: 'Begun; running instances bring it to its end. `Location` tells how far it is',
      schema: rebuildResponse,
    },
    body: rebuildRequest,
    problems: [...LOOK, ...NAMED, ...BODY, 'rebuild_in_progress'],
    access: 'ops',
  })
  async rebuild(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const asked = parseBody(rebuildRequest, body);
    const { rebuilds: generations } = this.projections;
    const generation = await generations.order({ ...asked, actor: principalOf(request).actor });
    const location = `/v1/ops/projections/${name}/rebuild`;
    const rebuild = await generations.rebuildOf(generation);
    sendReply(response, jsonReply(202, rebuild, { location }), requestIdOf(request));
  }

  @Get(':name/rebuild')
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'The rebuild under way, or else the last one that was ordered here',
    ok: {
      description: 'How far it is, and at its end what came of it',
      schema: rebuildResponse,
      stream: 'An event `progress` with the same JSON at each change, and `done` with the last one',
    },
    problems: [...LOOK, ...NAMED],
    access: 'ops',
  })
  async progress(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { rebuilds: generations } = this.projections;
    const rebuild = await generations.rebuildOf('latest');
    if (rebuild === null)
      throw new ProblemError('not_found', 'No rebuild is under way, and none was ordered.');
    const requestId = requestIdOf(request);
    if (!wantsEvents(request)) return sendReply(response, jsonReply(200, rebuild), requestId);
    await this.streams.answer(response, requestId, (stream) =>
      watchRebuild(generations, rebuild.generation, stream),
    );
  }

  @Post(':name/verify')
  @HttpCode(200)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'Fold the log again, for all users or so many at random, and compare it with what is read',
    ok: {
      description:
        'Every row that differs is counted, the first hundred are told. Ends early when the caller leaves',
      schema: verificationResponse,
      stream: 'Events `progress` with `handled`, `until` and `events`, then `done` with the report',
    },
    body: verifyRequest,
    problems: [
      ...LOOK,
      ...NAMED,
      ...BODY,
      'generation_behind',
      'generation_faulted',
      'verification_in_progress',
      'event_store_unavailable',
    ],
    access: 'ops',
  })
  async verify(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { users } = parseBody(verifyRequest, body ?? {});
    const asked = { users, actor: principalOf(request).actor };
    await answerVerification(this.projections.rebuilds, asked, {
      request,
      response,
      streams: this.streams,
    });
  }
}
