import { Body, Controller, Get, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { type Caller, CallerOf, StableIdOf } from '../../auth/caller.js';
import { BODY_PROBLEMS, Describe } from '../../http/describe.js';
import { EventStreams } from '../../http/event-stream.js';
import { keyReused } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply, sendReply } from '../../http/reply.js';
import { NoQueryGuard, optionalBodyPipe } from '../../http/validation.js';
import { ImportRunner } from '../../stripe/reconciliation/import/import-runner.js';
import { type ImportRequest, importRequest, importResponse } from './import.schemas.js';
import { IMPORTING } from './job.examples.js';
import { watchJob } from './job-watch.js';
import { wantsEvents } from './projection-routes.js';

/** Bringing in what Stripe has. */
@ApiTags('Ops')
@Controller('v1/ops/imports')
@UseGuards(NoQueryGuard)
export class ImportController {
  constructor(
    private readonly imports: ImportRunner,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  @Describe({
    summary:
      'Bring in the subscriptions that Stripe has, with what tells whose they are; a dry run says what would hold',
    ok: {
      status: 202,
      description: 'Begun; running instances bring it to its end. `Location` tells how far it is',
      schema: importResponse,
    },
    body: importRequest,
    problems: [
      ...BODY_PROBLEMS,
      'invalid_request',
      'unsupported_parameter',
      'import_in_progress',
      'stripe_key_missing',
    ],
    access: 'ops',
    idempotency: 'plain',
  })
  async begin(
    @Body(optionalBodyPipe(importRequest)) { dryRun, links }: ImportRequest,
    @CallerOf() { actor }: Caller,
    @StableIdOf() id: string,
  ): Promise<Reply> {
    const afterwards = dryRun ? 'report' : 'record';
    const job = await this.imports.begin(id, { afterwards, actor, links });
    if (job === null) throw new ProblemError('stripe_key_missing', 'Set STRIPE_SECRET_KEY.');
    if (job.afterwards !== afterwards) throw keyReused();
    return jsonReply(202, job, { location: '/v1/ops/imports' });
  }

  @Get()
  @Describe({
    summary: 'The import under way, or else the last one',
    ok: {
      description: 'How far it is, and once everything is read what would hold',
      schema: importResponse,
      stream: {
        description: 'An event `progress` with the same JSON at each change, and `done` with the last one',
        example: `event: progress\ndata: ${JSON.stringify(IMPORTING)}\n\n`,
      },
    },
    problems: ['unsupported_parameter', 'not_found'],
    access: 'ops',
  })
  async progress(
    @CallerOf() { requestId }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const job = await this.imports.latest();
    if (job === null) throw new ProblemError('not_found', 'Nothing was imported.');
    if (!wantsEvents(request)) return sendReply(response, jsonReply(200, job), requestId);
    await this.streams.answer(response, requestId, (stream) => watchJob(() => this.imports.latest(), stream));
  }
}
