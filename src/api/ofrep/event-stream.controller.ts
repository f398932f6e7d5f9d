import { Controller, Get, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { OwnUserId } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { queryPipe } from '../../http/validation.js';
import { STREAM_PROBLEMS } from '../entitlements/snapshot-streams.controller.js';
import { UserStreams } from '../entitlements/user-streams.js';
import { EVENT_STREAM_PATH, tellFlagChange } from './flag-changes.js';

const query = z.strictObject({ ticket: z.string() });

const EXAMPLE =
  'event: message\nid: 1842.3.pLp8wYV3zN2m1kQwq0XbSg\n' +
  'data: {"type":"refetchEvaluation","etag":"1842.3.pLp8wYV3zN2m1kQwq0XbSg"}\n\n';

/** Tells providers of OpenFeature in browsers when to fetch the flags of their user again. */
@ApiTags('Standards')
@Controller(EVENT_STREAM_PATH)
export class EventStreamController {
  constructor(private readonly streams: UserStreams) {}

  @Get()
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The `id` of the last event that came' })
  @Describe({
    summary: 'That the flags of a user are other ones (OFREP, `eventStreams`)',
    ok: {
      description: 'Server-sent events `message` of the type `refetchEvaluation`, the first at once',
      schema: z.string(),
      type: 'text/event-stream',
      example: EXAMPLE,
    },
    problems: STREAM_PROBLEMS,
    access: 'ticket',
  })
  async changes(
    @OwnUserId() userId: string,
    @Query(queryPipe(query)) _query: z.infer<typeof query>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const asked = { userId, minPosition: undefined, lastEventId, tell: tellFlagChange };
    await this.streams.answer(asked, request, response);
  }
}
