import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Describe } from '../../http/describe.js';
import { refuseOthers } from '../../http/parameters.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { batchRequest, batchResponse, featureResponse, parseBody, snapshotSchema } from '../schemas.js';
import { EntitlementsService } from './entitlements.service.js';

const READING = ['read_model_not_ready', 'database_unavailable'] as const;

@ApiTags('Entitlements')
@Controller('v1')
export class EntitlementsController {
  constructor(private readonly entitlements: EntitlementsService) {}

  @Get('users/:userId/entitlements')
  @ApiParam({ name: 'userId', type: String })
  @ApiQuery({
    name: 'minPosition',
    type: String,
    required: false,
    description: 'Wait until this position is read.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiHeader({ name: 'X-Request-Id', required: false })
  @Describe({
    summary: 'What a user may do now',
    ok: {
      description: 'The snapshot, with a strong `ETag` of the body and the checkpoint as `Tenure-Position`',
      schema: snapshotSchema,
    },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' } },
    problems: [
      'invalid_user_id',
      'invalid_request',
      'unsupported_parameter',
      'malformed_url',
      'position_unknown',
      'projection_behind',
      'too_many_waiting',
      ...READING,
    ],
    access: 'entitlements:read',
  })
  async snapshot(
    @Param('userId') userId: string,
    @Query() query: Record<string, unknown>,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { minPosition, ...others } = query;
    refuseOthers(others);
    if (minPosition !== undefined && typeof minPosition !== 'string') {
      throw new ProblemError('invalid_request', 'minPosition may be given once.');
    }
    const reply = await this.entitlements.snapshot(userId, minPosition, ifNoneMatch);
    sendReply(response, reply, requestIdOf(request));
  }

  @Post('entitlements/batch')
  @HttpCode(200)
  @Describe({
    summary: 'What up to 100 users may do, as of one moment',
    ok: { description: 'Snapshots in the order asked', schema: batchResponse },
    body: batchRequest,
    problems: [
      'invalid_request',
      'malformed_json',
      'invalid_user_id',
      'payload_too_large',
      'unsupported_media_type',
      ...READING,
    ],
    access: 'entitlements:read',
  })
  async batch(@Body() body: unknown, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { userIds } = parseBody(batchRequest, body);
    const served = await this.entitlements.batch(userIds);
    const position = served[0]?.position ?? '0';
    const entitlements = served.map(({ snapshot }) => snapshot);
    sendReply(response, jsonReply(200, { position, entitlements }), requestIdOf(request));
  }

  @Get('users/:userId/features/:key')
  @ApiParam({ name: 'userId', type: String })
  @ApiParam({ name: 'key', type: String, description: 'A feature or a limit of the plan catalogue' })
  @ApiQuery({
    name: 'amount',
    type: Number,
    required: false,
    description: 'How much of a limit; 1 when left out',
  })
  @Describe({
    summary: 'Whether a user may use a feature, or that much of a limited thing',
    ok: { description: 'The decision and its reason', schema: featureResponse },
    problems: ['invalid_user_id', 'invalid_request', 'unsupported_parameter', 'malformed_url', ...READING],
    access: 'entitlements:read',
  })
  async feature(
    @Param('userId') userId: string,
    @Param('key') key: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { amount, ...others } = query;
    refuseOthers(others);
    if (amount !== undefined && typeof amount !== 'string') {
      throw new ProblemError('invalid_request', 'amount may be given once.');
    }
    const decision = await this.entitlements.feature(userId, key, amount);
    sendReply(response, jsonReply(200, decision), requestIdOf(request));
  }
}
