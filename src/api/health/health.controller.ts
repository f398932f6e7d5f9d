import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Describe } from '../../http/describe.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { VERSION } from '../../observability/version.js';
import { liveResponse, readyResponse } from '../schemas.js';
import { OpenAnswers } from './open-answers.js';

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly answers: OpenAnswers) {}

  @Get('health/live')
  @Describe({
    summary: 'The process answers',
    ok: { description: 'Alive', schema: liveResponse },
    problems: [],
    access: 'open',
  })
  live(@Req() request: Request, @Res() response: Response): void {
    sendReply(response, jsonReply(200, { status: 'live', version: VERSION }), requestIdOf(request));
  }

  @Get('health/ready')
  @Describe({
    summary: 'Database, event store and projection work; looked at once a second at most',
    ok: { description: 'Ready, or degraded with its problems named', schema: readyResponse },
    also: { 503: { description: 'Not ready', schema: readyResponse } },
    problems: [],
    access: 'open',
  })
  async ready(@Req() request: Request, @Res() response: Response): Promise<void> {
    sendReply(response, await this.answers.ready(), requestIdOf(request));
  }

  @Get('metrics')
  @Describe({
    summary: 'Prometheus metrics, a second old at most',
    ok: { description: 'Text format', schema: z.string(), type: 'text/plain' },
    problems: [],
    access: 'open',
  })
  async scrape(@Req() request: Request, @Res() response: Response): Promise<void> {
    sendReply(response, await this.answers.metrics(), requestIdOf(request));
  }
}
