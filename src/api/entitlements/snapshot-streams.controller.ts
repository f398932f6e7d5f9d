import { Controller, Get, Headers, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { requireAccess } from '../../auth/access-control.js';
import { OwnUserId } from '../../auth/caller.js';
import { HeldAccess } from '../../auth/held-access.js';
import { Describe } from '../../http/describe.js';
import { EventStreams } from '../../http/event-stream.js';
import { ProblemError } from '../../http/problem.js';
import { requestIdOf } from '../../http/request-id.js';
import { queryPipe } from '../../http/validation.js';
import { SnapshotWatch } from '../../push/snapshot-watch.js';
import { StreamPlaces } from '../../push/stream-places.js';
import { type LastSeen, parseEventId } from '../../push/told-snapshot.js';
import { streamUser } from '../../push/user-stream.js';
import { checkUserId, EntitlementsService } from './entitlements.service.js';

const query = z.strictObject({
  minPosition: z.string({ error: 'minPosition may be given once.' }).optional(),
});
type StreamQuery = z.infer<typeof query>;

const EXAMPLE =
  'event: snapshot\nid: 1842.3.pLp8wYV3zN2m1kQwq0XbSg\n' +
  'data: {"userId":"user_42","role":"paid","plan":"plus","revocationVersion":3,"etag":"\\"pLp8wYV3zN2m1kQwq0XbSg\\""}\n\n';

const STREAM = {
  ok: {
    description:
      'Server-sent events `snapshot`, then `change` where the version is another one and `update` where anything else is; ' +
      'the data is the snapshot with its `etag`',
    schema: z.string(),
    type: 'text/event-stream',
    example: EXAMPLE,
  },
  problems: [
    'invalid_request',
    'unsupported_parameter',
    'position_unknown',
    'projection_behind',
    'event_store_unavailable',
    'too_many_waiting',
    'too_many_streams',
    'streams_full',
    'read_model_not_ready',
    'database_unavailable',
  ],
} as const;

const ApiStream = (): MethodDecorator => (target, key, descriptor) => {
  ApiQuery({
    name: 'minPosition',
    type: String,
    required: false,
    description: 'Wait until this position is read.',
  })(target, key, descriptor);
  ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The `id` of the last event that came' })(
    target,
    key,
    descriptor,
  );
};

/** What users may do, as it changes. */
@ApiTags('Entitlements')
@Controller('v1')
export class SnapshotStreamsController {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly watch: SnapshotWatch,
    private readonly places: StreamPlaces,
    private readonly streams: EventStreams,
    private readonly held: HeldAccess,
  ) {}

  @Get('users/:userId/entitlements/stream')
  @ApiParam({ name: 'userId', type: String })
  @ApiStream()
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
    return this.#answer(userId, minPosition, parseEventId(lastEventId), request, response);
  }

  @Get('me/entitlements/stream')
  @ApiStream()
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
    return this.#answer(userId, minPosition, parseEventId(lastEventId), request, response);
  }

  async #answer(
    userId: string,
    minPosition: string | undefined,
    lastSeen: LastSeen | null,
    request: Request,
    response: Response,
  ): Promise<void> {
    checkUserId(userId);
    const release = this.places.take(userId);
    try {
      if (minPosition !== undefined) await this.entitlements.reach(minPosition);
      const seen = lastSeen === null ? null : await this.#reachSeen(lastSeen);
      // A user who cannot be read is refused before anything is sent.
      await this.entitlements.served(userId, undefined);
      const held = this.held.hold(request, (principal) =>
        requireAccess(principal, 'entitlements:read', userId),
      );
      const work = this.streams.answer(
        response,
        requestIdOf(request),
        (stream) => streamUser(this.watch, userId, seen, stream),
        { until: held.signal },
      );
      await work.finally(held.release);
    } finally {
      release();
    }
  }

  /** Never tells a client what was before what it has seen; `null` where that was of another log. */
  async #reachSeen(seen: LastSeen): Promise<LastSeen | null> {
    try {
      await this.entitlements.reach(seen.position);
      return seen;
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'position_unknown') return null;
      throw error;
    }
  }
}
