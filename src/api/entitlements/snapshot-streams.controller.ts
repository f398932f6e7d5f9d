import { Controller, Get, Headers, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { OwnUserId } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { minPositionParameter, REACHING } from '../../http/read-position.js';
import { queryPipe } from '../../http/validation.js';
import { tellSnapshot } from '../../push/user-stream.js';
import { UserStreams } from './user-streams.js';

const query = z.strictObject({ minPosition: minPositionParameter });
type StreamQuery = z.infer<typeof query>;

const EXAMPLE =
  'event: snapshot\nid: 1842.3.pLp8wYV3zN2m1kQwq0XbSg\n' +
  'data: {"userId":"user_42","role":"paid","plan":"plus","revocationVersion":3,"etag":"\\"pLp8wYV3zN2m1kQwq0XbSg\\""}\n\n';

/** What a stream of a user is refused for. */
export const STREAM_PROBLEMS = [
  ...REACHING,
  'unsupported_parameter',
  'too_many_streams',
  'streams_full',
  'read_model_not_ready',
  'database_unavailable',
] as const;

const STREAM = {
  ok: {
    description:
      'Server-sent events `snapshot`, then `change` where the version is another one and `update` where anything else is; ' +
      'the data is the snapshot with its `etag`',
    schema: z.string(),
    type: 'text/event-stream',
    example: EXAMPLE,
  },
  problems: STREAM_PROBLEMS,
  position: 'itself',
} as const;

const ApiLastEvent = () =>
  ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The `id` of the last event that came' });

/** What users may do, as it changes. */
@ApiTags('Entitlements')
@Controller('v1')
export class SnapshotStreamsController {
  constructor(private readonly streams: UserStreams) {}

  @Get('users/:userId/entitlements/stream')
  @ApiParam({ name: 'userId', type: String })
  @ApiLastEvent()
  @Describe({
    summary: 'What a user may do now, and each change of it as it comes',
    ...STREAM,
    problems: [...STREAM.problems, 'invalid_user_id', 'malformed_url'],
    access: 'entitlements:read',
    userTokens: 'path',
  })
  ofUser(
    @Param('userId') userId: string,
    @Query(queryPipe(query)) { minPosition }: StreamQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.#answer(userId, minPosition, lastEventId, request, response);
  }

  @Get('me/entitlements/stream')
  @ApiLastEvent()
  @Describe({
    summary: 'What the bearer of a user token may do now, and each change of it as it comes',
    ...STREAM,
    access: 'user',
  })
  ofBearer(
    @OwnUserId() userId: string,
    @Query(queryPipe(query)) { minPosition }: StreamQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.#answer(userId, minPosition, lastEventId, request, response);
  }

  #answer(
    userId: string,
    minPosition: string | undefined,
    lastEventId: string | undefined,
    request: Request,
    response: Response,
  ): Promise<void> {
    const asked = { userId, minPosition, lastEventId, tell: tellSnapshot };
    return this.streams.answer(asked, request, response);
  }
}
