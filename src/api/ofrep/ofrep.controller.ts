import { Body, Controller, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import { requireOwn } from '../../auth/access-control.js';
import { type Caller, CallerOf } from '../../auth/caller.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { isUserId } from '../../events/user-id.js';
import { Describe } from '../../http/describe.js';
import { matchesIfNoneMatch, strongEtag } from '../../http/etag.js';
import { jsonReply, Reply } from '../../http/reply.js';
import { SharedAnswer } from '../../http/shared-answer.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { EntitlementsService } from '../entitlements/entitlements.service.js';
import { flagOf, flagsOf } from './flags.js';
import {
  flagResponse,
  flagsResponse,
  type OfrepFailure,
  ofrepFailure,
  ofrepRequest,
} from './ofrep.schemas.js';

/** The catalogue is read anew after so long, in milliseconds: only which keys there are hangs on it. */
const CATALOG_KEPT_MS = 1_000;
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
  readonly #catalog: SharedAnswer<PlanCatalog | null>;

  constructor(
    private readonly entitlements: EntitlementsService,
    @Inject(PROJECTIONS) private readonly projections: Projections,
  ) {
    this.#catalog = new SharedAnswer(() => this.projections.ops.currentCatalog(), CATALOG_KEPT_MS);
  }

  @Post()
  @HttpCode(200)
  @ApiHeader({ name: 'If-None-Match', required: false })
  @Describe({
    summary: 'All features and limits of a user as flags (OFREP)',
    ok: { description: 'The flags, with an `ETag` of the body', schema: flagsResponse },
    also: { 304: { description: '`If-None-Match` holds the ETag: no body' }, 400: FAILURE },
    body: ofrepRequest,
    problems: PROBLEMS,
    access: 'entitlements:read',
    userTokens: 'handler',
  })
  async flags(
    @Body() body: unknown,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @CallerOf() caller: Caller,
  ): Promise<Reply> {
    const asked = userOf(body, caller);
    if ('failure' in asked) return jsonReply(400, asked.failure);
    const [{ snapshot }, catalog] = await Promise.all([
      this.projections.reader.read(asked.userId),
      this.#catalog.get(),
    ]);
    if (catalog === null) throw new ReadModelNotReadyError();
    const text = JSON.stringify(flagsOf(snapshot, catalog));
    const headers = { etag: strongEtag(text), 'cache-control': 'private, no-cache' };
    if (matchesIfNoneMatch(ifNoneMatch, headers.etag)) return new Reply(304, headers, null);
    return new Reply(200, { 'content-type': 'application/json; charset=utf-8', ...headers }, text);
  }

  @Post(':key')
  @HttpCode(200)
  @ApiParam({ name: 'key', type: String, description: 'A feature or a limit of the plan catalogue' })
  @Describe({
    summary: 'One feature or limit of a user as a flag (OFREP)',
    ok: { description: 'The flag, with why it is so', schema: flagResponse },
    also: { 400: FAILURE, 404: { description: 'There is no such feature or limit', schema: ofrepFailure } },
    body: ofrepRequest,
    problems: PROBLEMS,
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

/** Of whom it is asked: a user token's own user where nobody is named. @throws ProblemError `other_user` */
function userOf(
  body: unknown,
  caller: Caller,
): { readonly userId: string } | { readonly failure: OfrepFailure } {
  const parsed = ofrepRequest.safeParse(body ?? {});
  if (!parsed.success) {
    return failed('INVALID_CONTEXT', 'The context is an object whose targetingKey is the id of a user.');
  }
  const userId = parsed.data.context?.targetingKey ?? caller.userId;
  if (userId === null) return failed('TARGETING_KEY_MISSING', 'The targetingKey is the id of a user.');
  if (!isUserId(userId)) return failed('INVALID_CONTEXT', 'The targetingKey is no id of a user.');
  requireOwn(caller, userId);
  return { userId };
}

function failed(
  errorCode: OfrepFailure['errorCode'],
  errorDetails: string,
): { readonly failure: OfrepFailure } {
  return { failure: { errorCode, errorDetails } };
}
