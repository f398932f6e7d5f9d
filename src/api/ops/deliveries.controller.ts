import { Controller, Get, Res, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { type EventStream, EventStreams } from '../../http/event-stream.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { NoQueryGuard } from '../../http/validation.js';
import { handledDelivery, RecentDeliveries } from '../../webhooks/recent-deliveries.js';

export const deliveriesResponse = z.strictObject({ deliveries: z.array(handledDelivery) });

/** Stripe's deliveries as they come. */
@ApiTags('Ops')
@Controller('v1/ops/deliveries')
@UseGuards(NoQueryGuard)
export class DeliveriesController {
  constructor(
    private readonly recent: RecentDeliveries,
    private readonly streams: EventStreams,
  ) {}

  @Get()
  @Describe({
    summary: 'The last 500 deliveries to this instance since it started, and what came of each',
    ok: { description: 'The newest first', schema: deliveriesResponse },
    problems: ['unsupported_parameter'],
    access: 'ops',
  })
  list(): Reply {
    return jsonReply(200, { deliveries: this.recent.after(0).toReversed() });
  }

  @Get('stream')
  @Describe({
    summary: 'The same, and then each delivery to this instance as it is answered',
    ok: {
      description:
        'Events `delivery`, the oldest first; one that is slow to read misses what is no longer remembered',
      schema: z.string(),
      type: 'text/event-stream',
      example: 'event: delivery\ndata: {"number":1,"outcome":"applied"}\n\n',
    },
    problems: ['unsupported_parameter'],
    access: 'ops',
  })
  async stream(@CallerOf() { requestId }: Caller, @Res() response: Response): Promise<void> {
    await this.streams.answer(response, requestId, (stream) => this.#tell(stream));
  }

  async #tell(stream: EventStream): Promise<void> {
    let told = 0;
    while (!stream.signal.aborted) {
      for (const delivery of this.recent.after(told)) {
        stream.send('delivery', delivery);
        told = delivery.number;
        if (!stream.hasRoom) await stream.room();
      }
      await this.recent.next(told, stream.signal);
    }
  }
}
