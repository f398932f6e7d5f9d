import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PublishedTree } from '../../audit/tree/published-tree.js';
import { Describe } from '../../http/describe.js';
import type { Reply } from '../../http/reply.js';
import { NoQueryGuard } from '../../http/validation.js';
import { CHECKPOINT_OK, newestReply } from './audit-log.controller.js';

/** The same checkpoint where auditors look for all else, which is recorded; of an adopted log it is that of its own tree. */
@ApiTags('Audit')
@Controller('v1/audit')
@UseGuards(NoQueryGuard)
export class AuditCheckpointController {
  constructor(private readonly published: PublishedTree) {}

  @Get('checkpoint')
  @Describe({
    summary: 'The newest signed checkpoint of the log as it is now (C2SP tlog-checkpoint)',
    ok: CHECKPOINT_OK,
    problems: [
      'not_found',
      'unsupported_parameter',
      'event_store_unavailable',
      'log_replaced',
      'clock_differs',
      'database_unavailable',
    ],
    access: 'audit',
  })
  async checkpoint(): Promise<Reply> {
    return newestReply(await this.published.checkpoint('newest'), 'private, no-store');
  }
}
