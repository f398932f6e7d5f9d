import { Body, Controller, Delete, Get, Param, Put, Query, UseGuards } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type Caller, CallerOf, IdempotencyKeyOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { bodyPipe, NoQueryGuard, queryPipe } from '../../http/validation.js';
import { ByHandReader } from '../../projections/read-models/by-hand.reader.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import { recordedResponse } from '../schemas.js';
import { overrideViews, recordedView } from './by-hand.views.js';
import { listQuery, RECORDING, WITH_BODY } from './grants.controller.js';
import { type WithdrawalQuery, withdrawalQuery } from './grants.requests.js';
import { type OverrideRequest, overrideRequest, overridesResponse } from './grants.schemas.js';
import { GrantsService } from './grants.service.js';

const KEY = /^[^\p{Cc}\p{Surrogate}]{1,100}$/u;

/** Overrides: single features and limits set by hand, whatever was bought. */
@ApiTags('Grants and overrides')
@Controller('v1/users/:userId/overrides')
export class OverridesController {
  constructor(
    private readonly grants: GrantsService,
    private readonly reader: ByHandReader,
  ) {}

  @Get()
  @ApiParam({ name: 'userId', type: String })
  @Describe({
    summary: 'The overrides of a user, by key',
    ok: {
      description: 'What holds, what would without overrides, and what each makes of that',
      schema: overridesResponse,
    },
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
    return { overrides: overrideViews((await this.reader.combined(userId)).combination) };
  }

  @Put(':key')
  @UseGuards(NoQueryGuard)
  @ApiParam({ name: 'userId', type: String })
  @ApiParam({ name: 'key', type: String, description: 'A feature or a limit of the plan catalogue' })
  @Describe({
    summary: 'Set what a user has of a feature or a limit, whatever was bought',
    ok: { description: 'Set, in place of what was set before; or set so already', schema: recordedResponse },
    body: overrideRequest,
    problems: WITH_BODY,
    access: 'ops',
  })
  async set(
    @Param('userId') userId: string,
    @Param('key') key: string,
    @Body(bodyPipe(overrideRequest)) request: OverrideRequest,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() idempotencyKey: string | null,
  ) {
    checkUserId(userId);
    checkText(key);
    return recordedView(await this.grants.set(userId, key, request, { caller, key: idempotencyKey }));
  }

  @Delete(':key')
  @ApiParam({ name: 'userId', type: String })
  @ApiParam({ name: 'key', type: String })
  @ApiQuery({ name: 'reason', type: String, required: false, description: 'why, kept for good' })
  @ApiQuery({ name: 'actor', type: String, required: false, description: "left out: the key's name" })
  @Describe({
    summary: 'Remove what was set of a key, as a feature and as a limit',
    ok: { description: 'Removed, or not set', schema: recordedResponse },
    problems: [...RECORDING, 'unsupported_parameter', 'unfit_text'],
    access: 'ops',
  })
  async remove(
    @Param('userId') userId: string,
    @Param('key') key: string,
    @Query(queryPipe(withdrawalQuery)) withdrawal: WithdrawalQuery,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() idempotencyKey: string | null,
  ) {
    checkUserId(userId);
    checkText(key);
    return recordedView(await this.grants.remove(userId, key, withdrawal, { caller, key: idempotencyKey }));
  }
}

function checkText(key: string): void {
  if (!KEY.test(key)) throw new ProblemError('invalid_request', 'The key is not one of a feature or limit.');
}
