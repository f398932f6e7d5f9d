import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type Caller, CallerOf, IdempotencyKeyOf, StableIdOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { minPositionParameter } from '../../http/read-position.js';
import { bodyPipe, NoQueryGuard, queryPipe } from '../../http/validation.js';
import { ByHandReader } from '../../projections/read-models/by-hand.reader.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import { recordedResponse } from '../schemas.js';
import { grantView, grantViews, recordedView } from './by-hand.views.js';
import { type WithdrawalQuery, withdrawalQuery } from './grants.requests.js';
import { type GrantRequest, grantRequest, grantsResponse, issuedResponse } from './grants.schemas.js';
import { GrantsService } from './grants.service.js';

/** What every route that records something by hand may answer. */
export const RECORDING = [
  'invalid_user_id',
  'invalid_request',
  'malformed_url',
  'event_store_unavailable',
  'log_replaced',
  'clock_differs',
  'database_unavailable',
] as const;
export const WITH_BODY = [
  ...RECORDING,
  'unsupported_parameter',
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
  'read_model_not_ready',
  'unknown_key',
  'ends_before_start',
] as const;
/** What lists of a user take. */
export const listQuery = z.strictObject({ minPosition: minPositionParameter });
/** An id that Tenure makes: a UUID; nothing else was ever one. */
const GRANT_ID = /^[\w-]{1,100}$/;

/** Grants: plans, add-ons, features and limits given by hand. */
@ApiTags('Grants and overrides')
@Controller('v1/users/:userId/grants')
export class GrantsController {
  constructor(
    private readonly grants: GrantsService,
    private readonly reader: ByHandReader,
  ) {}

  @Post()
  @UseGuards(NoQueryGuard)
  @ApiParam({ name: 'userId', type: String })
  @Describe({
    summary: 'Give a user a plan, add-ons, features or limits by hand',
    ok: { status: 201, description: 'Recorded; `position` is for `minPosition`', schema: issuedResponse },
    body: grantRequest,
    problems: [...WITH_BODY, 'unknown_plan', 'unknown_addon'],
    access: 'ops',
    idempotency: 'plain',
  })
  async issue(
    @Param('userId') userId: string,
    @Body(bodyPipe(grantRequest)) request: GrantRequest,
    @StableIdOf() id: string,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ) {
    checkUserId(userId);
    const { grant, result } = await this.grants.issue(id, userId, request, { caller, key });
    const { outcome, position } = result;
    return { userId, ...grantView(grant), outcome, ...(position === null ? {} : { position }) };
  }

  @Get()
  @ApiParam({ name: 'userId', type: String })
  @Describe({
    summary: 'The grants of a user, the last one first',
    ok: { description: 'Also those that are over or were revoked', schema: grantsResponse },
    problems: [
      'invalid_user_id',
      'malformed_url',
      'unsupported_parameter',
      'read_model_not_ready',
      'database_unavailable',
    ],
    access: 'ops',
    position: 'read',
  })
  async list(
    @Param('userId') userId: string,
    @Query(queryPipe(listQuery)) _query: z.infer<typeof listQuery>,
  ) {
    checkUserId(userId);
    return { grants: grantViews((await this.reader.combined(userId)).combination) };
  }

  @Delete(':grantId')
  @ApiParam({ name: 'userId', type: String })
  @ApiParam({ name: 'grantId', type: String })
  @ApiQuery({ name: 'reason', type: String, required: false, description: 'why, kept for good' })
  @ApiQuery({ name: 'actor', type: String, required: false, description: "left out: the key's name" })
  @Describe({
    summary: 'Revoke a grant of a user',
    ok: { description: 'Revoked, or over before', schema: recordedResponse },
    problems: [...RECORDING, 'unsupported_parameter', 'not_found', 'unfit_text'],
    access: 'ops',
  })
  async revoke(
    @Param('userId') userId: string,
    @Param('grantId') grantId: string,
    @Query(queryPipe(withdrawalQuery)) withdrawal: WithdrawalQuery,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ) {
    checkUserId(userId);
    if (!GRANT_ID.test(grantId)) throw new ProblemError('invalid_request', 'The id of the grant is not one.');
    return recordedView(await this.grants.revoke(grantId, userId, withdrawal, { caller, key }));
  }
}
