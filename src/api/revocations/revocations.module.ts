import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { PushModule } from '../../push/push.module.js';
import { RevocationsController } from './revocations.controller.js';

/** Whose tokens count no longer. */
@Module({ imports: [AuthModule, PushModule], controllers: [RevocationsController] })
export class RevocationsModule {}
