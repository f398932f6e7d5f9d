import { Controller, Get, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Pool } from 'pg';
import { z } from 'zod';
import { POOL } from '../../database/database.js';
import { BODY_PROBLEMS, Describe, DescribePage } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { NoQueryGuard, pageParameters, queryPipe } from '../../http/validation.js';
import { listDeadLetters, replayDeadLetter } from '../../reactions/dead-letters.js';
import { Reactor } from '../../reactions/reactor.js';
import { deadLettersResponse, replayResponse } from './webhook-endpoints.schemas.js';
import { deadLetterView } from './webhook-endpoints.views.js';

const pageQuery = z.strictObject({
  ...pageParameters,
  cursor: pageParameters.cursor.refine((text) => text === null || /^\d{1,18}$/.test(text), {
    error: 'cursor must be `next` of the page before.',
  }),
});
type PageQuery = z.infer<typeof pageQuery>;
const uuid = z.guid();

/** What reactions gave up. */
@ApiTags('Ops')
@Controller('v1/ops/dead-letters')
export class DeadLettersController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    private readonly reactor: Reactor,
  ) {}

  @Get()
  @DescribePage()
  @Describe({
    summary: 'Messages and other work that was given up after its last try',
    ok: { description: 'The oldest first', schema: deadLettersResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async list(@Query(queryPipe(pageQuery)) { limit, cursor }: PageQuery): Promise<Reply> {
    const found = await listDeadLetters(this.pool, { after: cursor ?? '0', limit });
    const deadLetters = found.map(deadLetterView);
    const next = found.length === limit ? (found.at(-1)?.seq ?? null) : null;
    return jsonReply(200, { deadLetters, next });
  }

  @Post(':id/replay')
  @UseGuards(NoQueryGuard)
  @ApiParam({ name: 'id', schema: { type: 'string' }, description: 'Of the dead letter' })
  @Describe({
    summary: 'Try once more what was given up: under its id, marked `replayed`, from the first try on',
    ok: { status: 202, description: 'It is tried as soon as its place comes', schema: replayResponse },
    problems: [
      'unsupported_parameter',
      'not_found',
      'malformed_url',
      ...BODY_PROBLEMS,
      'database_unavailable',
    ],
    access: 'ops',
    idempotency: 'plain',
  })
  async replay(@Param('id') id: string): Promise<Reply> {
    if (!uuid.safeParse(id).success || !(await replayDeadLetter(this.pool, id))) {
      throw new ProblemError('not_found', 'There is no such dead letter.');
    }
    this.reactor.wake();
    return jsonReply(202, { id, replayed: true });
  }
}
