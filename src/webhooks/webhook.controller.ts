import { Controller, Headers, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { readBody } from '../http/body.js';
import { Describe } from '../http/describe.js';
import type { Reply } from '../http/reply.js';
import { requestIdOf } from '../http/request-id.js';
import { WebhookService, webhookReceipt } from './webhook.service.js';

@ApiTags('Webhooks')
@Controller('webhooks')
export class WebhookController {
  constructor(private readonly webhooks: WebhookService) {}

  @Post('stripe')
  @ApiHeader({ name: 'Stripe-Signature', required: true })
  @ApiBody({
    description: 'A Stripe event, a snapshot or a thin one, byte for byte as signed',
    schema: { type: 'object' },
  })
  @Describe({
    summary: "Stripe's deliveries; 200 means the event is durable, or is none of ours",
    ok: { description: 'Applied, a duplicate, or ignored with a reason', schema: webhookReceipt },
    problems: [
      'malformed_json',
      'invalid_request',
      'invalid_signature',
      'payload_too_large',
      'malformed_event',
      'event_store_unavailable',
      'database_unavailable',
      'log_replaced',
      'clock_differs',
      'thin_events_need_api_key',
      'stripe_unavailable',
    ],
    access: 'open',
  })
  receive(
    @Headers('stripe-signature') signature: string | undefined,
    @Req() request: Request,
  ): Promise<Reply> {
    return this.webhooks.receive(readBody(request), signature, requestIdOf(request));
  }
}
