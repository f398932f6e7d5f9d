import { Body, Controller, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { EntitlementsService } from '../entitlements/entitlements.service.js';
import { userOf } from './asked-user.js';
import { flagOf } from './flags.js';
import {
  flagResponse,
  flagsResponse,
  type OfrepFailure,
  ofrepFailure,
  ofrepRequest,
} from './ofrep.schemas.js';
import { OfrepService } from './ofrep.service.js';

const PROBLEMS = [
  'payload_too_large',
  'unsupported_media_type',
  'read_model_not_ready',
  'database_unavailable',
] as const;
const FAILURE = { description: 'The request lacks what it needs', schema: ofrepFailure };

/** OpenFeature Remote Evaluation Protocol 0.3: features as boolean flags, limits as integers. */
@ApiTags('Standards')
@Controller('ofrep/v1/evaluate/flags')
export class OfrepController {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly ofrep: OfrepService,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiQuery({
    name: 'flagConfigEtag',
    type: String,
    required: false,
    description: 'The `etag` of an event of the stream: waits until what it told of is read',
  })
  @Describe({
    summary: 'All features and limits of a user as flags (OFREP)',
    ok: { description: 'The flags, with an `ETag` of the body', schema: flagsResponse },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' }, 400: FAILURE },
    body: ofrepRequest,
    problems: [...PROBLEMS, 'projection_behind', 'too_many_waiting', 'event_store_unavailable'],
    access: 'entitlements:read',
    userTokens: 'handler',
  })
  flags(
    @Body() body: unknown,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Query('flagConfigEtag') flagConfigEtag: unknown,
    @CallerOf() caller: Caller,
  ): Promise<Reply> {
    const has = { ifNoneMatch, flagConfigEtag: told(flagConfigEtag) };
    return this.ofrep.flags(body, caller, has);
  }

  @Post(':key')
  @HttpCode(200)
  @ApiParam({ name: 'key', type: String, description: 'A feature or a limit of the plan catalogue' })
  @Describe({
    summary: 'One feature or limit of a user as a flag (OFREP)',
    ok: { description: 'The flag, with why it is so', schema: flagResponse },
    also: { 400: FAILURE, 404: { description: 'There is no such feature or limit', schema: ofrepFailure } },
    body: ofrepRequest,
    problems: [...PROBLEMS, 'malformed_url'],
    access: 'entitlements:read',
    userTokens: 'handler',
  })
  async flag(@Param('key') key: string, @Body() body: unknown, @CallerOf() caller: Caller): Promise<Reply> {
    const asked = userOf(body, caller);
    if ('failure' in asked) return jsonReply(400, { key, ...asked.failure });
    const flag = flagOf(key, await this.entitlements.decisions(asked.userId));
    if (flag !== null) return jsonReply(200, flag);
    const failure: OfrepFailure = {
      key,
      errorCode: 'FLAG_NOT_FOUND',
      errorDetails: 'No plan and no add-on has it.',
    };
    return jsonReply(404, failure);
  }
}

/** What an event said; a parameter that is given twice says nothing. */
function told(flagConfigEtag: unknown): string | undefined {
  return typeof flagConfigEtag === 'string' ? flagConfigEtag : undefined;
}
