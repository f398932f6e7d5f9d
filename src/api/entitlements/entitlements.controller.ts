import { Body, Controller, Get, Headers, Param, Post, Query, Req } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { minPositionParameter } from '../../http/read-position.js';
import type { Reply } from '../../http/reply.js';
import { bodyPipe, queryPipe, timeParameter, waitParameter } from '../../http/validation.js';
import { isErasedMark } from '../../pseudonyms/pseudonym.js';
import {
  anySnapshotSchema,
  type BatchRequest,
  batchRequest,
  batchResponse,
  explainedFeatureResponse,
} from '../schemas.js';
import { AsOfService, isAsOf } from './as-of.service.js';
import { ApiWait, AwaitedSnapshots, versionParameter } from './awaited-snapshots.js';
import { EntitlementsService } from './entitlements.service.js';
import { ExplanationService } from './explanation.service.js';

const explain = z
  .enum(['true', 'false'], { error: 'explain must be true or false.' })
  .optional()
  .transform((asked) => asked === 'true');
const snapshotQuery = z.strictObject({
  minPosition: minPositionParameter,
  wait: waitParameter.optional(),
  version: versionParameter,
  at: timeParameter('at'),
  knownAt: timeParameter('knownAt'),
  explain,
});
type SnapshotQuery = z.infer<typeof snapshotQuery>;
const TIME = { schema: { type: 'string', format: 'date-time' }, required: false } as const;
const batchQuery = z.strictObject({ minPosition: minPositionParameter });
const featureQuery = z.strictObject({
  minPosition: minPositionParameter,
  amount: z.string({ error: 'amount may be given once.' }).optional(),
  explain,
});
/** Asks for the reasons. */
const ApiExplain = () =>
  ApiQuery({
    name: 'explain',
    enum: ['true', 'false'],
    required: false,
    description: 'Say beside each part of the answer which rule decided it, in words, with facts and events.',
  });
const READING = ['read_model_not_ready', 'database_unavailable'] as const;
/** What a wait may be refused with. */
const WAITING = ['too_many_streams', 'streams_full'] as const;
/** The events of reasons are looked up in the log. */
const EXPLAINING = [...READING, 'event_store_unavailable'] as const;

@ApiTags('Entitlements')
@Controller('v1')
export class EntitlementsController {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly asOf: AsOfService,
    private readonly explanations: ExplanationService,
    private readonly awaited: AwaitedSnapshots,
  ) {}

  @Get('users/:userId/entitlements')
  @ApiParam({ name: 'userId', type: String })
  @ApiQuery({
    name: 'at',
    ...TIME,
    description: 'Judge what had happened by then; ahead of now: what time alone will do.',
  })
  @ApiQuery({
    name: 'knownAt',
    ...TIME,
    description: 'Only what was known by then; without `at`: what was served then.',
  })
  @ApiExplain()
  @ApiWait()
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiHeader({ name: 'X-Request-Id', required: false })
  @Describe({
    summary: 'What a user may do now, or could do as of a moment',
    ok: {
      description: 'The snapshot, with a strong `ETag` of the body and the checkpoint as `Tenure-Position`',
      schema: anySnapshotSchema,
    },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' } },
    problems: [
      'invalid_user_id',
      'unsupported_parameter',
      'malformed_url',
      'conflicting_parameters',
      'time_in_future',
      'rebuild_needed',
      ...WAITING,
      ...EXPLAINING,
    ],
    access: 'entitlements:read',
    position: 'itself',
    userTokens: 'path',
  })
  snapshot(
    @Param('userId') userId: string,
    @Query(queryPipe(snapshotQuery)) { minPosition, explain, ...moment }: SnapshotQuery,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: Request,
  ): Promise<Reply> {
    if (isAsOf(moment)) return this.asOf.snapshot(userId, { ...moment, minPosition, explain }, ifNoneMatch);
    const { wait, version } = moment;
    if (wait !== undefined || version !== undefined) {
      if (explain) throw new ProblemError('conflicting_parameters', 'explain does not wait.');
      return this.awaited.snapshot(userId, { minPosition, ifNoneMatch, wait, version }, request);
    }
    const answers = explain ? this.explanations : this.entitlements;
    return answers.snapshot(userId, minPosition, ifNoneMatch);
  }

  @Post('entitlements/batch')
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
      'unsupported_parameter',
      ...READING,
    ],
    access: 'entitlements:read',
    position: 'read',
  })
  async batch(
    @Body(bodyPipe(batchRequest)) { userIds }: BatchRequest,
    @Query(queryPipe(batchQuery)) _query: z.infer<typeof batchQuery>,
  ) {
    const served = await this.entitlements.batch(userIds);
    const entitlements = served.map(({ snapshot }) =>
      isErasedMark(snapshot.userId) ? { userId: snapshot.userId, code: 'user_erased' as const } : snapshot,
    );
    return { position: served[0]?.position ?? '0', entitlements };
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
  @ApiExplain()
  @Describe({
    summary: 'Whether a user may use a feature, or that much of a limited thing',
    ok: { description: 'The decision and its reason', schema: explainedFeatureResponse },
    problems: ['invalid_user_id', 'invalid_request', 'unsupported_parameter', 'malformed_url', ...EXPLAINING],
    access: 'entitlements:read',
    position: 'read',
    userTokens: 'path',
  })
  async feature(
    @Param('userId') userId: string,
    @Param('key') key: string,
    @Query(queryPipe(featureQuery)) { amount, explain }: z.infer<typeof featureQuery>,
  ) {
    const answers = explain ? this.explanations : this.entitlements;
    return answers.feature(userId, key, amount);
  }
}
