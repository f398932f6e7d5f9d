import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { bodyPipe, optionalBodyPipe } from '../../http/validation.js';
import { ProjectionRecovery } from '../../projections/recovery.js';
import {
  type ResumeRequest,
  resumedResponse,
  resumeRequest,
  type SkipRequest,
  skippedResponse,
  skipRequest,
} from './projection.schemas.js';
import { DescribeProjection } from './projection-routes.js';

/** What ops do when a projection set events aside that it cannot fold, or stands still at one. */
@ApiTags('Projections')
@Controller('v1/ops/projections')
export class FaultsController {
  constructor(private readonly recovery: ProjectionRecovery) {}

  @Post(':name/resume')
  @DescribeProjection({
    summary:
      'Try again what is set aside, or stands, now that its cause is gone; of the generation that is read where none is named',
    ok: {
      description: 'Which generation tries again, the fault at which it stood, and how much it had set aside',
      schema: resumedResponse,
    },
    body: resumeRequest,
    idempotency: 'plain',
    problems: ['unknown_generation', 'no_fault'],
  })
  resume(@Body(optionalBodyPipe(resumeRequest)) { generation }: ResumeRequest) {
    return this.recovery.resume(generation);
  }

  @Post(':name/skip')
  @DescribeProjection({
    summary:
      'Go past the first event of a stream that is set aside, or at which the generation that is read stands; who did it and why stays in the log',
    ok: { description: 'Skipped by this request, or before', schema: skippedResponse },
    body: skipRequest,
    idempotency: 'plain',
    problems: ['no_fault', 'fault_elsewhere', 'event_store_unavailable', 'log_replaced', 'clock_differs'],
  })
  skip(@Body(bodyPipe(skipRequest)) { position, reason }: SkipRequest, @CallerOf() caller: Caller) {
    const { actor, requestId: correlationId } = caller;
    return this.recovery.skip(position, { reason, actor, correlationId });
  }
}
