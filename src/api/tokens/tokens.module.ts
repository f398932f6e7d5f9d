import { Module } from '@nestjs/common';
import { TokensModule } from '../../tokens/tokens.module.js';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { TokensController } from './tokens.controller.js';

/** Entitlement tokens over HTTP. */
@Module({ imports: [TokensModule, EntitlementsModule], controllers: [TokensController] })
export class TokensApiModule {}
