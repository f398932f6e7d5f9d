import { Module } from '@nestjs/common';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { OfrepController } from './ofrep.controller.js';

/** Features and limits as flags of OpenFeature. */
@Module({ imports: [EntitlementsModule], controllers: [OfrepController] })
export class OfrepModule {}
