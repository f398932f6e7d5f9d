import { Body, Controller, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { principalOf } from '../../auth/require-key.js';
import { Describe } from '../../http/describe.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { ProjectionRecovery } from '../../projections/recovery.js';
import { parseBody } from '../schemas.js';
import { resumedResponse, resumeRequest, skippedResponse, skipRequest } from './projection.schemas.js';
import { BODY, checkProjection, LOOK, NAME_PARAMETER, NAMED } from './projection-routes.js';

/** What ops do when a projection set events aside that it cannot fold, or stands still at one. */
@ApiTags('Projections')
@Controller('v1/ops/projections')
export class FaultsController {
  constructor(private readonly recovery: ProjectionRecovery) {}

  @Post(':name/resume')
  @HttpCode(200)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary:
      'Try again what is set aside, or stands, now that its cause is gone; of the generation that is read where none is named',
    ok: {
      description: 'Which generation tries again, the fault at which it stood, and how much it had set aside',
      schema: resumedResponse,
    },
    body: resumeRequest,
    problems: [...LOOK, ...NAMED, ...BODY, 'unknown_generation', 'no_fault'],
    access: 'ops',
  })
  async resume(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { generation } = parseBody(resumeRequest, body ?? {});
    sendReply(response, jsonReply(200, await this.recovery.resume(generation)), requestIdOf(request));
  }

  @Post(':name/skip')
  @HttpCode(200)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary:
      'Go past the first event of a stream that is set aside, or at which the generation that is read stands; who did it and why stays in the log',
    ok: { description: 'Skipped by this request, or before', schema: skippedResponse },
    body: skipRequest,
    problems: [
      ...LOOK,
      ...NAMED,
      ...BODY,
      'no_fault',
      'fault_elsewhere',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
    ],
    access: 'ops',
  })
  async skip(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { position, reason } = parseBody(skipRequest, body);
    const requestId = requestIdOf(request);
    const { actor } = principalOf(request);
    const skipped = await this.recovery.skip(position, { reason, actor, correlationId: requestId });
    sendReply(response, jsonReply(200, skipped), requestId);
  }
}
