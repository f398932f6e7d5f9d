import { Module } from '@nestjs/common';
import { PricesModule } from '../../stripe/prices/prices.module.js';
import { OfferedPlansController } from './plans.controller.js';

/** What can be bought. */
@Module({ imports: [PricesModule], controllers: [OfferedPlansController] })
export class PlansModule {}
