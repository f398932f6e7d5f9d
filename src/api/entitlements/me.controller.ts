import { Controller, Get, Headers, Query, Req } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { OwnUserId } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { minPositionParameter } from '../../http/read-position.js';
import type { Reply } from '../../http/reply.js';
import { queryPipe, waitParameter } from '../../http/validation.js';
import { snapshotSchema } from '../schemas.js';
import { ApiWait, AwaitedSnapshots, versionParameter } from './awaited-snapshots.js';
import { EntitlementsService } from './entitlements.service.js';

const query = z.strictObject({
  minPosition: minPositionParameter,
  wait: waitParameter.optional(),
  version: versionParameter,
});

/** What the bearer of a user token may do. */
@ApiTags('Entitlements')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly awaited: AwaitedSnapshots,
  ) {}

  @Get('entitlements')
  @ApiWait()
  @ApiHeader({ name: 'If-None-Match', required: false })
  @Describe({
    summary: 'What the bearer of a user token may do now',
    ok: {
      description: 'The snapshot, as `GET /v1/users/{userId}/entitlements` has it',
      schema: snapshotSchema,
    },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' } },
    problems: [
      'unsupported_parameter',
      'too_many_streams',
      'streams_full',
      'read_model_not_ready',
      'database_unavailable',
    ],
    access: 'user',
    position: 'itself',
  })
  snapshot(
    @OwnUserId() userId: string,
    @Query(queryPipe(query)) { minPosition, wait, version }: z.infer<typeof query>,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: Request,
  ): Promise<Reply> {
    if (wait !== undefined || version !== undefined) {
      return this.awaited.snapshot(userId, { minPosition, ifNoneMatch, wait, version }, request);
    }
    return this.entitlements.snapshot(userId, minPosition, ifNoneMatch);
  }
}
