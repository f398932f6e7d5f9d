import { applyDecorators, Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { AuditLog } from '../../audit/log/audit-log.js';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { parseStreamName } from '../../events/stream-names.js';
import { Describe } from '../../http/describe.js';
import { LineStreams, NDJSON } from '../../http/line-stream.js';
import { ProblemError } from '../../http/problem.js';
import { queryPipe, textParameter, timeParameter } from '../../http/validation.js';
import { auditLineSchema } from './audit.schemas.js';

const eventsQuery = z.strictObject({
  from: positionParameter('from'),
  to: positionParameter('to'),
  cursor: positionParameter('cursor'),
  stream: textParameter('stream', 'the name of a stream, as the lines have it'),
  user: textParameter('user', 'a user id'),
  stripeEventId: textParameter('stripeEventId', "an id of Stripe's, evt_…"),
  since: timeParameter('since'),
  until: timeParameter('until'),
});
type EventsQuery = z.infer<typeof eventsQuery>;

@ApiTags('Audit')
@Controller('v1/audit')
export class AuditEventsController {
  constructor(
    private readonly log: AuditLog,
    private readonly lines: LineStreams,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get('events')
  @DescribeFilters()
  @Describe({
    summary: 'The log, an event a line, in its order; the last line says where to go on',
    ok: {
      description:
        'An event a line up to where the log ended, then `{cursor, complete}`, at the pace of the reader',
      schema: auditLineSchema,
      type: NDJSON,
    },
    problems: [
      'invalid_request',
      'invalid_user_id',
      'unsupported_parameter',
      'position_unknown',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
      'database_unavailable',
    ],
    access: 'audit',
  })
  async events(
    @Query(queryPipe(eventsQuery)) query: EventsQuery,
    @CallerOf() { requestId }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const { stream } = query;
    if (stream !== null && parseStreamName(this.settings.streamPrefix, stream) === null) {
      throw new ProblemError('invalid_request', 'stream must be the name of a stream, as the lines have it.');
    }
    await this.lines.answerTexts(response, requestId, (isStopping) => this.log.lines(query, isStopping));
  }
}

function positionParameter(name: string) {
  const error = `${name} must be a position of the log.`;
  return z
    .string({ error })
    .regex(/^[1-9]\d{0,18}$/, { error })
    .nullable()
    .default(null);
}

function DescribeFilters(): MethodDecorator {
  const text = (name: string, description: string) =>
    ApiQuery({ name, type: String, required: false, description });
  const time = (name: string, description: string) =>
    ApiQuery({ name, schema: { type: 'string', format: 'date-time' }, required: false, description });
  return applyDecorators(
    text('from', 'Position of the first event'),
    text('to', 'Position of the last event'),
    text('cursor', 'Go on behind this event: `cursor` of the last line, or `position` of the last whole one'),
    text('stream', 'Only events of this stream'),
    text('user', 'Only events of the streams that tell of this user'),
    text('stripeEventId', 'Only what this event of Stripe’s told'),
    time('since', 'Only what was recorded then or later'),
    time('until', 'Only what was recorded then or earlier'),
  );
}
