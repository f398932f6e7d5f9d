import { Body, Controller, Param, Put, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import type { CommandResult } from '../../commands/aggregate.js';
import { ReportUsage } from '../../commands/usage.aggregate.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import { recordedResponse, type UsageRequest, usageRequest } from '../schemas.js';
import { isLimitOf } from './feature-decision.js';

/** The catalogue that is judged by. */
export abstract class CurrentCatalog implements Pick<OpsReader, 'currentCatalog'> {
  abstract currentCatalog(): ReturnType<OpsReader['currentCatalog']>;
}

/** How much of limited things users have in use, as applications say it. */
@ApiTags('Usage')
@Controller('v1')
@UseGuards(NoQueryGuard)
export class UsageController {
  constructor(
    private readonly commands: CommandBus,
    private readonly catalogs: CurrentCatalog,
  ) {}

  @Put('users/:userId/usage/:limit')
  @ApiParam({ name: 'userId', type: String })
  @ApiParam({ name: 'limit', type: String, description: 'A limit of the plan catalogue' })
  @Describe({
    summary: 'Say how much of a limited thing a user has in use',
    ok: { description: 'Appended, or equal to the last report', schema: recordedResponse },
    body: usageRequest,
    problems: [
      'invalid_request',
      'unsupported_parameter',
      'invalid_user_id',
      'malformed_url',
      'malformed_json',
      'payload_too_large',
      'unsupported_media_type',
      'unknown_limit',
      'read_model_not_ready',
      'database_unavailable',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
    ],
    access: 'entitlements:write',
  })
  async report(
    @Param('userId') userId: string,
    @Param('limit') limit: string,
    @Body(bodyPipe(usageRequest)) { value }: UsageRequest,
    @CallerOf() { actor, requestId: correlationId }: Caller,
  ): Promise<Readonly<Record<string, string>>> {
    checkUserId(userId);
    const catalog = await this.catalogs.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    if (!isLimitOf(catalog, limit)) {
      throw new ProblemError('unknown_limit', 'No plan and no add-on of the catalogue has that limit.');
    }
    const origin = { actor, correlationId, causation: null, stripe: null };
    const result: CommandResult = await this.commands.execute(new ReportUsage(userId, limit, value, origin));
    const { outcome, position } = result;
    return {
      outcome,
      ...(result.outcome === 'applied' ? { event: result.event } : {}),
      ...(position === null ? {} : { position }),
    };
  }
}
