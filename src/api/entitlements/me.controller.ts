import { Controller, Get, Headers, Query } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OwnUserId } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import type { Reply } from '../../http/reply.js';
import { queryPipe } from '../../http/validation.js';
import { snapshotSchema } from '../schemas.js';
import { EntitlementsService } from './entitlements.service.js';

const query = z.strictObject({
  minPosition: z.string({ error: 'minPosition may be given once.' }).optional(),
});

/** What the bearer of a user token may do. */
@ApiTags('Entitlements')
@Controller('v1/me')
export class MeController {
  constructor(private readonly entitlements: EntitlementsService) {}

  @Get('entitlements')
  @ApiQuery({
    name: 'minPosition',
    type: String,
    required: false,
    description: 'Wait until this position is read.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @Describe({
    summary: 'What the bearer of a user token may do now',
    ok: {
      description: 'The snapshot, as `GET /v1/users/{userId}/entitlements` has it',
      schema: snapshotSchema,
    },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' } },
    problems: [
      'invalid_request',
      'unsupported_parameter',
      'position_unknown',
      'projection_behind',
      'event_store_unavailable',
      'too_many_waiting',
      'read_model_not_ready',
      'database_unavailable',
    ],
    access: 'user',
  })
  snapshot(
    @OwnUserId() userId: string,
    @Query(queryPipe(query)) { minPosition }: z.infer<typeof query>,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
  ): Promise<Reply> {
    return this.entitlements.snapshot(userId, minPosition, ifNoneMatch);
  }
}
