import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Describe } from '../../http/describe.js';
import { cursorOf, DEFAULT_LIMIT, limitOf, MAX_LIMIT, refuseOthers } from '../../http/parameters.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { OpsReader } from '../../projections/read-models/ops.reader.js';
import {
  conflictsResponse,
  faultsResponse,
  pendingPaymentsResponse,
  unlinkedResponse,
  unmappedPricesResponse,
} from '../schemas.js';

@ApiTags('Ops')
@ApiQuery({ name: 'cursor', type: String, required: false, description: '`next` of the page before' })
@ApiQuery({
  name: 'limit',
  type: Number,
  required: false,
  description: `1 to ${MAX_LIMIT}, ${DEFAULT_LIMIT} when left out`,
})
@Controller('v1/ops')
export class OpsController {
  constructor(
    private readonly ops: OpsReader,
    @Inject(PROJECTIONS) private readonly projections: Projections,
  ) {}

  @Get('unlinked')
  @Describe({
    summary: 'Customers and subscriptions that belong to nobody yet',
    ok: { description: 'A page, by kind and id', schema: unlinkedResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async unlinked(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.ops.unlinked(...pageOf(query));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }

  @Get('conflicts')
  @Describe({
    summary: 'Customers and subscriptions whose facts name another user than their owner',
    ok: { description: 'A page, by kind and id', schema: conflictsResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async conflicts(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.ops.conflicts(...pageOf(query));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }

  @Get('faults')
  @Describe({
    summary: 'Streams of which events are set aside, and users who cannot be judged',
    ok: { description: 'A page, by kind and id', schema: faultsResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async faults(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.ops.faults(...pageOf(query));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }

  @Get('unmapped-prices')
  @Describe({
    summary: 'Prices of subscriptions that are in no plan and no add-on',
    ok: {
      description:
        "A page by price, with for how many users it gives nothing, or counts as a plan's own, and the first of them",
      schema: unmappedPricesResponse,
    },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async unmappedPrices(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.projections.attention.unmappedPrices(...pageOf(query));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }

  @Get('pending-payments')
  @Describe({
    summary: 'Users who asked for a higher plan that is not paid yet, and why it waits',
    ok: {
      description: 'A page by user id; it may be short while `next` says that there is more',
      schema: pendingPaymentsResponse,
    },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async pendingPayments(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.projections.attention.pendingPayments(...pageOf(query));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }
}

function pageOf({ cursor, limit, ...others }: Record<string, unknown>): [string | null, number] {
  refuseOthers(others);
  return [cursorOf(cursor), limitOf(limit)];
}
