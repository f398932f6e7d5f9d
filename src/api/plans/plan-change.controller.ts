import { Body, Controller, Param, Patch, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, StableIdOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import { BUYING_PROBLEMS } from '../checkout/buying-problems.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import {
  type PlanChangeRequest,
  type PlanChangeResponse,
  planChangeRequest,
  planChangeResponse,
} from './plan-change.schemas.js';
import { PlanChangeService } from './plan-change.service.js';

@ApiTags('Buying')
@Controller('v1/users')
export class PlanChangeController {
  constructor(private readonly changes: PlanChangeService) {}

  @Patch(':userId/plan')
  @UseGuards(NoQueryGuard)
  @ApiParam({ name: 'userId', type: String })
  @Describe({
    summary: 'Change to less: a lower plan, a shorter interval, fewer units or add-ons, or the default plan',
    ok: {
      description: 'What comes of it; to ask for what is held withdraws what was to come',
      schema: planChangeResponse,
    },
    body: planChangeRequest,
    problems: [
      ...BUYING_PROBLEMS,
      'malformed_url',
      'PAID_UPGRADE_REQUIRED',
      'plan_not_by_subscription',
      'QUOTA_EXCEEDED',
      'more_in_part',
      'waits_for_period_end',
    ],
    access: 'checkout',
    userTokens: 'path',
    idempotency: 'plain',
  })
  change(
    @Param('userId') userId: string,
    @Body(bodyPipe(planChangeRequest)) request: PlanChangeRequest,
    @CallerOf() caller: Caller,
    @StableIdOf() key: string,
  ): Promise<PlanChangeResponse> {
    checkUserId(userId);
    return this.changes.change({ userId, request, caller, key });
  }
}
