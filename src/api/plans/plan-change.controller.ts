import { Body, Controller, Param, Patch, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, StableIdOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
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
      'invalid_request',
      'unsupported_parameter',
      'malformed_json',
      'malformed_url',
      'invalid_user_id',
      'PAID_UPGRADE_REQUIRED',
      'unknown_plan',
      'unknown_interval',
      'unknown_addon',
      'not_for_sale',
      'plan_not_by_subscription',
      'QUOTA_EXCEEDED',
      'more_in_part',
      'waits_for_period_end',
      'checkout_in_progress',
      'checkout_not_ready',
      'payload_too_large',
      'unsupported_media_type',
      'stripe_refused',
      'too_many_requests',
      'stripe_api_key_missing',
      'stripe_unavailable',
      'read_model_not_ready',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
      'database_unavailable',
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
