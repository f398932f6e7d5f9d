import { Body, Controller, Get, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller, CallerOf, StableIdOf } from '../../auth/caller.js';
import { BODY_PROBLEMS, Describe } from '../../http/describe.js';
import { EventStreams } from '../../http/event-stream.js';
import { keyReused } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply, sendReply } from '../../http/reply.js';
import { NoQueryGuard, optionalBodyPipe } from '../../http/validation.js';
import { ReconciliationRunner } from '../../stripe/reconciliation/reconcile/reconciliation-runner.js';
import { RECONCILING } from './job.examples.js';
import { watchJob } from './job-watch.js';
import { wantsEvents } from './projection-routes.js';
import {
  type ReconciliationRequest,
  reconciliationRequest,
  reconciliationResponse,
} from './reconciliation.schemas.js';

const uuid = z.guid();

/** Making the log agree with Stripe. */
@ApiTags('Ops')
@Controller('v1/ops/reconciliations')
@UseGuards(NoQueryGuard)
export class ReconciliationController {
  constructor(
    private readonly reconciliations: ReconciliationRunner,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  @Describe({
    summary:
      'Record what Stripe has and the log lacks: missed events of 30 days, then every subscription; a dry run says where they differ',
    ok: {
      status: 202,
      description: 'Begun; running instances bring it to its end. `Location` tells how far it is',
      schema: reconciliationResponse,
    },
    body: reconciliationRequest,
    problems: [
      ...BODY_PROBLEMS,
      'invalid_request',
      'unsupported_parameter',
      'reconciliation_in_progress',
      'stripe_key_missing',
    ],
    access: 'ops',
    idempotency: 'plain',
  })
  async begin(
    @Body(optionalBodyPipe(reconciliationRequest)) { dryRun, gone }: ReconciliationRequest,
    @CallerOf() { actor }: Caller,
    @StableIdOf() id: string,
  ): Promise<Reply> {
    const afterwards = dryRun ? 'report' : 'record';
    const job = await this.reconciliations.begin(id, { afterwards, gone, actor });
    if (job === null) throw new ProblemError('stripe_key_missing', 'Set STRIPE_SECRET_KEY.');
    if (job.afterwards !== afterwards || job.gone !== gone) throw keyReused();
    return jsonReply(202, job, { location: `/v1/ops/reconciliations/${job.id}` });
  }

  @Get(':id')
  @ApiParam({ name: 'id', schema: { type: 'string' }, description: 'Of the reconciliation' })
  @Describe({
    summary: 'How far a reconciliation is',
    ok: {
      description: 'Once it is over, with where the log and Stripe differed',
      schema: reconciliationResponse,
      stream: {
        description: 'An event `progress` with the same JSON at each change, and `done` with the last one',
        example: `event: progress\ndata: ${JSON.stringify(RECONCILING)}\n\n`,
      },
    },
    problems: ['unsupported_parameter', 'not_found', 'malformed_url'],
    access: 'ops',
  })
  async progress(
    @Param('id') id: string,
    @CallerOf() { requestId }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const job = uuid.safeParse(id).success ? await this.reconciliations.find(id) : null;
    if (job === null) throw new ProblemError('not_found', 'There is no such reconciliation.');
    if (!wantsEvents(request)) return sendReply(response, jsonReply(200, job), requestId);
    await this.streams.answer(response, requestId, (stream) =>
      watchJob(() => this.reconciliations.find(id), stream),
    );
  }
}
