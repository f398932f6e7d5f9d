import { Module } from '@nestjs/common';
import { FailureLog } from '../../http/failure-log.js';
import { LineStreams } from '../../http/line-stream.js';
import { TO_PROBLEM } from '../../http/problem.js';
import { AsOfModule } from './as-of.module.js';
import { AuditEntitlementsController } from './audit-entitlements.controller.js';

/** What auditors read. */
@Module({
  imports: [AsOfModule],
  controllers: [AuditEntitlementsController],
  providers: [
    {
      provide: LineStreams,
      inject: [TO_PROBLEM, FailureLog],
      useFactory: (...told: ConstructorParameters<typeof LineStreams>) => new LineStreams(...told),
    },
  ],
})
export class AuditModule {}
