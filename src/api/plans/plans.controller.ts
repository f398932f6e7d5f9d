import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Describe } from '../../http/describe.js';
import { NoQueryGuard } from '../../http/validation.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { SoldPrices } from '../../stripe/prices/sold-prices.js';
import { type PlansResponse, plansResponse } from './plans.schemas.js';
import { shownPlans, soldNames } from './shown-plans.js';

@ApiTags('Plans')
@Controller('v1/plans')
export class OfferedPlansController {
  constructor(
    @Inject(PROJECTIONS) private readonly projections: Projections,
    private readonly prices: SoldPrices,
  ) {}

  @Get()
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: 'Plans by rank and add-ons: what each gives and, as far as Stripe has said, what it costs',
    ok: { description: 'The catalogue that users are judged by, with its prices', schema: plansResponse },
    problems: ['unsupported_parameter', 'read_model_not_ready', 'database_unavailable'],
    access: 'entitlements:read',
    userTokens: 'nobody',
  })
  async list(): Promise<PlansResponse> {
    const catalog = await this.projections.ops.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    return shownPlans(catalog, await this.prices.of(soldNames(catalog)));
  }
}
