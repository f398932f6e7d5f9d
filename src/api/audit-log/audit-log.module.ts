import { Module } from '@nestjs/common';
import { AuditTreeModule } from '../../audit/tree/audit-tree.module.js';
import { AuditLogController } from './audit-log.controller.js';

/** The Merkle tree of the log over HTTP, for everyone. */
@Module({ imports: [AuditTreeModule], controllers: [AuditLogController] })
export class AuditLogModule {}
