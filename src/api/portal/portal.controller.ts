import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import { type PortalRequest, type PortalResponse, portalRequest, portalResponse } from './portal.schemas.js';
import { PortalService } from './portal.service.js';

@ApiTags('Buying')
@Controller('v1/portal/sessions')
export class PortalController {
  constructor(private readonly portal: PortalService) {}

  @Post()
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: "A way into Stripe's customer portal: to pay, cancel, resume and change cards",
    ok: { description: 'The session; each call makes another one', schema: portalResponse },
    body: portalRequest,
    problems: [
      'invalid_request',
      'unsupported_parameter',
      'malformed_json',
      'invalid_user_id',
      'payload_too_large',
      'unsupported_media_type',
      'no_customer',
      'url_not_allowed',
      'stripe_refused',
      'stripe_api_key_missing',
      'stripe_unavailable',
      'read_model_not_ready',
      'database_unavailable',
    ],
    access: 'checkout',
    userTokens: 'body',
  })
  open(@Body(bodyPipe(portalRequest)) request: PortalRequest): Promise<PortalResponse> {
    checkUserId(request.userId);
    return this.portal.open(request);
  }
}
