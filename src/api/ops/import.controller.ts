import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { optionalBodyPipe } from '../../http/validation.js';
import { ImportRunner } from '../../stripe/reconciliation/import/import-runner.js';
import { type ImportRequest, importRequest, importResponse } from './import.schemas.js';

/** Bringing in what Stripe has. */
@ApiTags('Ops')
@Controller('v1/ops/import')
export class ImportController {
  constructor(private readonly imports: ImportRunner) {}

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
    problems: ['import_in_progress', 'stripe_key_missing'],
    access: 'ops',
    idempotency: 'plain',
  })
  async begin(
    @Body(optionalBodyPipe(importRequest)) { dryRun, links }: ImportRequest,
    @CallerOf() { actor }: Caller,
  ): Promise<Reply> {
    const job = await this.imports.begin({ afterwards: dryRun ? 'report' : 'record', actor, links });
    if (job === null) throw new ProblemError('stripe_key_missing', 'Set STRIPE_SECRET_KEY.');
    return jsonReply(202, job, { location: '/v1/ops/import' });
  }

  @Get()
  @Describe({
    summary: 'The import under way, or else the last one',
    ok: { description: 'How far it is, and once everything is read what would hold', schema: importResponse },
    problems: ['not_found'],
    access: 'ops',
  })
  async progress(): Promise<Reply> {
    const job = await this.imports.latest();
    if (job === null) throw new ProblemError('not_found', 'Nothing was imported.');
    return jsonReply(200, job);
  }
}
