import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { requireOwn } from '../../auth/access-control.js';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import {
  type EvaluationRequest,
  type EvaluationsRequest,
  evaluationRequest,
  evaluationResponse,
  evaluationsRequest,
  evaluationsResponse,
} from './authzen.schemas.js';
import { AuthZenService } from './authzen.service.js';

const PROBLEMS = [
  'invalid_request',
  'invalid_user_id',
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
  'unsupported_parameter',
  'read_model_not_ready',
  'database_unavailable',
] as const;

/** OpenID AuthZEN Authorization API 1.0. */
@ApiTags('Standards')
@Controller('access/v1')
@UseGuards(NoQueryGuard)
export class AccessController {
  constructor(private readonly authzen: AuthZenService) {}

  @Post('evaluation')
  @Describe({
    summary: 'May a user use a feature, or a route of your application (OpenID AuthZEN 1.0)',
    ok: { description: 'The decision, with its reason as `context`', schema: evaluationResponse },
    body: evaluationRequest,
    problems: PROBLEMS,
    access: 'entitlements:read',
    userTokens: 'handler',
  })
  evaluation(@Body(bodyPipe(evaluationRequest)) request: EvaluationRequest, @CallerOf() caller: Caller) {
    return this.authzen.evaluation(request, (userId) => requireOwn(caller, userId));
  }

  @Post('evaluations')
  @Describe({
    summary: 'The same of up to 100, by `options.evaluations_semantic`',
    ok: {
      description: 'Decisions in the order asked, up to where the semantic ends',
      schema: evaluationsResponse,
    },
    body: evaluationsRequest,
    problems: PROBLEMS,
    access: 'entitlements:read',
    userTokens: 'handler',
  })
  evaluations(@Body(bodyPipe(evaluationsRequest)) request: EvaluationsRequest, @CallerOf() caller: Caller) {
    return this.authzen.evaluations(request, (userId) => requireOwn(caller, userId));
  }
}
