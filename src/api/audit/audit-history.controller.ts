import { applyDecorators, Controller, Get, Param, Query } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { HistoryPlace } from '../../audit/history/history.reader.js';
import { UserHistory } from '../../audit/history/user-history.js';
import { Describe, DescribePage } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { pageParameters, queryPipe } from '../../http/validation.js';
import { historySchema } from './audit.schemas.js';

/** Snapshots of a page with reasons, at most: each is judged again. */
const MOST_EXPLAINED = 50;

const historyQuery = z.strictObject({
  order: oneOf('order', ['oldest', 'newest']).default('oldest'),
  kind: oneOf('kind', ['every', 'upgrade']).default('every'),
  explain: oneOf('explain', ['true', 'false']).default('false'),
  ...pageParameters,
});
type HistoryQuery = z.infer<typeof historyQuery>;

@ApiTags('Audit')
@Controller('v1/audit/users')
export class AuditHistoryController {
  constructor(private readonly histories: UserHistory) {}

  @Get(':userId/history')
  @DescribeHistory()
  @DescribePage()
  @Describe({
    summary: 'Every snapshot of a user that ever held, each with what changed, and what made it so',
    ok: { description: 'A page; `next` goes on, whatever came since', schema: historySchema },
    problems: [
      'invalid_request',
      'invalid_user_id',
      'malformed_url',
      'unsupported_parameter',
      'history_rebuilt',
      'rebuild_needed',
      'read_model_not_ready',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
      'database_unavailable',
    ],
    access: 'audit',
  })
  async history(
    @Param('userId') userId: string,
    @Query(queryPipe(historyQuery)) { order, kind, explain, limit, cursor }: HistoryQuery,
  ) {
    const { items, next } = await this.histories.page(userId, {
      order,
      kind,
      behind: cursor === null ? null : placeOf(cursor),
      limit: explain === 'true' ? Math.min(limit, MOST_EXPLAINED) : limit,
      reasons: explain === 'true' ? 'told' : 'left out',
    });
    return { items, next: next === null ? null : `${next.generation}-${next.seq}` };
  }
}

/** @throws ProblemError for what was never the `next` of a page */
function placeOf(cursor: string): HistoryPlace {
  const [, generation, seq] = /^([1-9]\d{0,8})-([1-9]\d{0,8})$/.exec(cursor) ?? [];
  if (generation === undefined || seq === undefined) {
    throw new ProblemError('invalid_request', 'cursor must be the `next` of the page before.');
  }
  return { generation: Number(generation), seq: Number(seq) };
}

function oneOf<const Words extends readonly [string, ...string[]]>(name: string, words: Words) {
  return z.enum(words, { error: `${name} must be one of ${words.join(', ')}.` });
}

function DescribeHistory(): MethodDecorator {
  const word = (name: string, words: readonly string[], description: string) =>
    ApiQuery({ name, type: String, required: false, enum: [...words], description });
  return applyDecorators(
    ApiParam({ name: 'userId', type: String }),
    word('order', ['oldest', 'newest'], 'Which snapshot comes first; `oldest` when left out'),
    word('kind', ['every', 'upgrade'], '`upgrade`: only moves to a plan of higher rank, with who paid what'),
    word('explain', ['true', 'false'], `\`true\`: with the reasons, up to ${MOST_EXPLAINED} a page`),
  );
}
