import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { AsOfReader } from '../../audit/as-of/as-of.js';
import { everyUserAsOf } from '../../audit/as-of/every-user.js';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { Describe } from '../../http/describe.js';
import { LineStreams, NDJSON } from '../../http/line-stream.js';
import { queryPipe, textParameter, timeParameter } from '../../http/validation.js';
import { asOfSnapshotSchema } from '../schemas.js';

const entitlementsQuery = z.strictObject({
  at: timeParameter('at'),
  knownAt: timeParameter('knownAt'),
  cursor: textParameter('cursor', 'the user id of the last line that was read'),
});
type EntitlementsQuery = z.infer<typeof entitlementsQuery>;
const TIME = { schema: { type: 'string', format: 'date-time' }, required: false } as const;

@ApiTags('Audit')
@Controller('v1/audit')
export class AuditEntitlementsController {
  constructor(
    private readonly reader: AsOfReader,
    private readonly lines: LineStreams,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(MACHINE_CLOCK) private readonly now: () => number,
  ) {}

  @Get('entitlements')
  @ApiQuery({ name: 'at', ...TIME, description: 'As of which moment; neither: now.' })
  @ApiQuery({
    name: 'knownAt',
    ...TIME,
    description: 'Only what was known by then; without `at`: what was served then.',
  })
  @ApiQuery({
    name: 'cursor',
    type: String,
    required: false,
    description: 'The user id of the last line that was read',
  })
  @Describe({
    summary: 'What everyone could do as of a moment, a line each, by user id',
    ok: {
      description: 'A snapshot a line, at the pace of the reader',
      schema: asOfSnapshotSchema,
      type: NDJSON,
    },
    problems: [
      'invalid_request',
      'unsupported_parameter',
      'projection_behind',
      'time_in_future',
      'rebuild_needed',
      'read_model_not_ready',
      'event_store_unavailable',
      'database_unavailable',
    ],
    access: 'audit',
  })
  async entitlements(
    @Query(queryPipe(entitlementsQuery)) { at, knownAt, cursor }: EntitlementsQuery,
    @CallerOf() { requestId }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const question = at === null && knownAt !== null ? { at, knownAt } : { at: at ?? this.now(), knownAt };
    await this.lines.answer(response, requestId, everyUserAsOf(this.reader, this.pool, question, cursor));
  }
}
