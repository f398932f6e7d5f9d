import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Describe } from '../../http/describe.js';
import type { Reply } from '../../http/reply.js';
import { VERSION } from '../../observability/version.js';
import { liveResponse, readyResponse } from '../schemas.js';
import type { ReadyReport } from './health.service.js';
import { OpenAnswers } from './open-answers.js';

const NOT_READY: ReadyReport = {
  status: 'not_ready',
  version: VERSION,
  problems: ['event_store_unavailable'],
  eventStore: 'eventstoredb',
  projection: {
    state: 'leading',
    position: '1842',
    head: '1842',
    lagEvents: 0,
    lagSeconds: 0,
    fault: null,
    setAside: { streams: 0, users: 0 },
  },
};

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly answers: OpenAnswers) {}

  @Get('health/live')
  @Describe({
    summary: 'The process answers',
    ok: { description: 'Alive', schema: liveResponse },
    problems: ['too_many_requests'],
    access: 'open',
  })
  live() {
    return { status: 'live', version: VERSION };
  }

  @Get('health/ready')
  @Describe({
    summary: 'Database, event store and projection work; looked at once a second at most',
    ok: { description: 'Ready, or degraded with its problems named', schema: readyResponse },
    also: { 503: { description: 'Not ready', schema: readyResponse, example: NOT_READY } },
    problems: ['too_many_requests'],
    access: 'open',
  })
  ready(): Promise<Reply> {
    return this.answers.ready();
  }

  @Get('metrics')
  @Describe({
    summary: 'Prometheus metrics, a second old at most',
    ok: {
      description: 'Text format',
      schema: z.string(),
      type: 'text/plain',
      example: '# TYPE tenure_webhooks_total counter\n',
    },
    problems: ['too_many_requests'],
    access: 'open',
  })
  scrape(): Promise<Reply> {
    return this.answers.metrics();
  }
}
