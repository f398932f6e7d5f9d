import { Module } from '@nestjs/common';
import { AuditTreeModule } from '../../audit/tree/audit-tree.module.js';
import { AuditCheckpointController } from './audit-checkpoint.controller.js';
import { AuditLogController } from './audit-log.controller.js';

/** The Merkle tree of the log over HTTP, for everyone, and its checkpoint for auditors, too. */
@Module({ imports: [AuditTreeModule], controllers: [AuditLogController, AuditCheckpointController] })
export class AuditLogModule {}
