import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Metrics } from '../../observability/metrics.js';
import { Describe } from '../describe.js';
import { jsonReply, sendReply } from '../http/reply.js';
import { requestIdOf } from '../http/request-id.js';
import { liveResponse, readyResponse } from '../schemas.js';
import { HealthService } from './health.service.js';

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @Describe({
    summary: 'The process answers',
    ok: { description: 'Alive', schema: liveResponse },
    problems: [],
    access: 'open',
  })
  live(@Req() request: Request, @Res() response: Response): void {
    sendReply(response, jsonReply(200, { status: 'live' }), requestIdOf(request));
  }

  @Get('health/ready')
  @Describe({
    summary: 'Database, event store and projection work',
    ok: { description: 'Ready, or degraded with its problems named', schema: readyResponse },
    also: { 503: { description: 'Not ready', schema: readyResponse } },
    problems: [],
    access: 'open',
  })
  async ready(@Req() request: Request, @Res() response: Response): Promise<void> {
    const report = await this.health.report();
    sendReply(response, jsonReply(report.status === 'not_ready' ? 503 : 200, report), requestIdOf(request));
  }

  @Get('metrics')
  @Describe({
    summary: 'Prometheus metrics',
    ok: { description: 'Text format', schema: z.string(), type: 'text/plain' },
    problems: [],
    access: 'open',
  })
  async scrape(@Req() request: Request, @Res() response: Response): Promise<void> {
    const body = await this.metrics.registry.metrics();
    const headers = { 'content-type': this.metrics.registry.contentType, 'cache-control': 'no-store' };
    sendReply(response, { status: 200, headers, body }, requestIdOf(request));
  }
}
