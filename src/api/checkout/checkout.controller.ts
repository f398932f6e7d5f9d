import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard, queryPipe } from '../../http/validation.js';
import { BUYING_PROBLEMS } from './buying-problems.js';
import {
  type CheckoutRequest,
  type CheckoutResponse,
  type CheckoutStatusQuery,
  type CheckoutStatusResponse,
  checkoutRequest,
  checkoutResponse,
  checkoutStatusQuery,
  checkoutStatusResponse,
} from './checkout.schemas.js';
import { CheckoutService } from './checkout.service.js';
import { CheckoutStatusService } from './checkout-status.service.js';

/** Begins purchases and upgrades, and follows them. */
@ApiTags('Buying')
@Controller('v1/checkout/sessions')
export class CheckoutController {
  constructor(
    private readonly checkouts: CheckoutService,
    private readonly statuses: CheckoutStatusService,
  ) {}

  @Post()
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: 'Begin a purchase or an upgrade: one customer and one subscription a user, nothing paid twice',
    ok: {
      description: 'Where the buyer is to go; the same choice again gives the open one',
      schema: checkoutResponse,
    },
    body: checkoutRequest,
    problems: [
      ...BUYING_PROBLEMS,
      'already_held',
      'plan_change_needed',
      'payment_due',
      'not_by_sent_invoice',
      'trial_used',
      'trial_not_offered',
      'checkout_completed',
      'url_not_allowed',
    ],
    access: 'checkout',
    userTokens: 'body',
    idempotency: 'sealed', // an embedded checkout shows its client secret
  })
  start(
    @Body(bodyPipe(checkoutRequest)) request: CheckoutRequest,
    @CallerOf() caller: Caller,
  ): Promise<CheckoutResponse> {
    return this.checkouts.start(request, caller);
  }

  @Get(':sessionId')
  @ApiParam({ name: 'sessionId', type: String, description: '`cs_…`, `bps_…` or `in_…`' })
  @ApiQuery({
    name: 'wait',
    type: Number,
    required: false,
    description: 'Seconds to wait, 25 at most, until it is paid and in force, or over',
  })
  @Describe({
    summary: 'Follow a purchase or an upgrade that Tenure began',
    ok: { description: 'What became of it', schema: checkoutStatusResponse },
    problems: [
      'invalid_request',
      'malformed_url',
      'unsupported_parameter',
      'not_found',
      'read_model_not_ready',
      'event_store_unavailable',
      'database_unavailable',
    ],
    access: 'checkout',
    userTokens: 'handler',
  })
  status(
    @Param('sessionId') sessionId: string,
    @Query(queryPipe(checkoutStatusQuery)) { wait }: CheckoutStatusQuery,
    @CallerOf() caller: Caller,
  ): Promise<CheckoutStatusResponse> {
    return this.statuses.status(sessionId, wait, caller);
  }
}
