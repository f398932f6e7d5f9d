import { Controller, Get, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { requireScope } from '../../auth/access-control.js';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { HeldAccess } from '../../auth/held-access.js';
import { Describe } from '../../http/describe.js';
import { EventStreams } from '../../http/event-stream.js';
import { queryPipe } from '../../http/validation.js';
import { Revocations } from '../../push/revocations.js';
import { StreamPlaces } from '../../push/stream-places.js';
import {
  REVOCATION_STREAM_EXAMPLE,
  type RevocationStreamQuery,
  type RevocationsQuery,
  revocationStreamQuery,
  revocationsQuery,
  revocationsResponse,
} from './revocations.schemas.js';

const ApiAfter = () =>
  ApiQuery({
    name: 'after',
    type: String,
    required: false,
    description: 'A `cursor`; left out, it begins with the oldest line kept',
  });
const PROBLEMS = ['invalid_request', 'unsupported_parameter', 'feed_reset', 'database_unavailable'] as const;

/** The revocation feed: guards that verify tokens in memory read it. */
@ApiTags('Tokens')
@Controller('v1/revocations')
export class RevocationsController {
  constructor(
    private readonly revocations: Revocations,
    private readonly streams: EventStreams,
    private readonly held: HeldAccess,
    private readonly places: StreamPlaces,
  ) {}

  @Get()
  @ApiAfter()
  @ApiQuery({ name: 'limit', type: Number, required: false, description: '1 to 1000, 100 when left out' })
  @Describe({
    summary: 'Whose version rose, in order: older entitlement tokens count no longer',
    ok: { description: 'Lines after the cursor; kept for a day', schema: revocationsResponse },
    problems: PROBLEMS,
    access: 'entitlements:read',
  })
  page(@Query(queryPipe(revocationsQuery)) { after, limit }: RevocationsQuery) {
    return this.revocations.page(after, limit);
  }

  @Get('stream')
  @ApiAfter()
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'A `cursor`; it goes before `after`' })
  @Describe({
    summary: 'The same as it comes, and a heartbeat every five seconds that the feed was read to its end',
    ok: {
      description: 'Server-sent events `revocation` and `heartbeat`; a `problem` before it ends by a fault',
      schema: z.string(),
      type: 'text/event-stream',
      example: REVOCATION_STREAM_EXAMPLE,
    },
    problems: [...PROBLEMS, 'too_many_streams', 'streams_full'],
    access: 'entitlements:read',
  })
  async stream(
    @Query(queryPipe(revocationStreamQuery)) { after }: RevocationStreamQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @CallerOf() { actor, requestId }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const release = this.places.takeFeed(actor);
    try {
      const from = await this.revocations.begin(lastEventId || after);
      const held = this.held.hold(request, (principal) => requireScope(principal, 'entitlements:read'));
      const options = { until: held.signal, heartbeat: 'own' } as const;
      await this.streams
        .answer(response, requestId, (stream) => this.revocations.stream(from, stream), options)
        .finally(held.release);
    } finally {
      release();
    }
  }
}
