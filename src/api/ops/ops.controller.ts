import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { OpsReader } from '../../projections/entitlements/ops.reader.js';
import { Describe } from '../describe.js';
import { cursorOf, DEFAULT_LIMIT, limitOf, MAX_LIMIT, refuseOthers } from '../http/parameters.js';
import { jsonReply, sendReply } from '../http/reply.js';
import { requestIdOf } from '../http/request-id.js';
import { conflictsResponse, unlinkedResponse } from '../schemas.js';

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
  constructor(private readonly ops: OpsReader) {}

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
}

function pageOf({ cursor, limit, ...others }: Record<string, unknown>): [string | null, number] {
  refuseOthers(others);
  return [cursorOf(cursor), limitOf(limit)];
}
