import { Body, Controller, Delete, Get, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { Describe } from '../../http/describe.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import {
  comparisonResponse,
  projectionResponse,
  projectionsResponse,
  type RollbackRequest,
  rollbackRequest,
  rollbackResponse,
  type SwapRequest,
  swapRequest,
  swapResponse,
} from './projection.schemas.js';
import { DescribeProjection, generationPipe, LEVEL, LOOK } from './projection-routes.js';
import { viewProjection } from './projection-view.js';

const GENERATION_PARAMETER = { name: 'generation', type: Number };

/** The generations of a projection, over HTTP what `tenure projections` does (DESIGN 10, 12). */
@ApiTags('Projections')
@Controller('v1/ops/projections')
export class ProjectionsController {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  @Get()
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: 'The projections, as the instance that answers knows them',
    ok: { description: 'Each with its generations and its last ten swaps', schema: projectionsResponse },
    problems: LOOK,
    access: 'ops',
  })
  async list() {
    return { projections: [await viewProjection(this.projections)] };
  }

  @Get(':name')
  @DescribeProjection({
    summary: 'How a projection is doing',
    ok: { description: 'State, positions, fault, generations, last ten swaps', schema: projectionResponse },
    problems: [],
  })
  status() {
    return viewProjection(this.projections);
  }

  @Get(':name/generations/:generation/comparison')
  @ApiParam(GENERATION_PARAMETER)
  @DescribeProjection({
    summary: 'What a swap to a generation would change; changes nothing',
    ok: {
      description: 'Users who would change, by kind, the first hundred in full',
      schema: comparisonResponse,
    },
    problems: [...LEVEL, 'unknown_generation', 'generation_is_live'],
  })
  comparison(@Param(generationPipe) generation: number) {
    return this.projections.rebuilds.compare(generation);
  }

  @Post(':name/swap')
  @DescribeProjection({
    summary: 'Make a build, or an earlier generation, the one that is read',
    ok: { description: 'What the swap changed', schema: swapResponse },
    body: swapRequest,
    idempotency: 'plain',
    problems: [...LEVEL, 'unknown_generation', 'generation_is_live'],
  })
  swap(@Body(bodyPipe(swapRequest)) { generation, reason }: SwapRequest, @CallerOf() { actor }: Caller) {
    return this.projections.rebuilds.swap(generation, { actor, reason });
  }

  @Post(':name/rollback')
  @DescribeProjection({
    summary: 'Go back to what the last swap replaced, or with `dryRun` only compare',
    ok: {
      description: 'What it changed, or would change: then without `swap` and `kind`',
      schema: rollbackResponse,
    },
    body: rollbackRequest,
    idempotency: 'plain',
    problems: [...LEVEL, 'nothing_to_roll_back'],
  })
  rollback(
    @Body(bodyPipe(rollbackRequest)) { dryRun, reason }: RollbackRequest,
    @CallerOf() { actor }: Caller,
  ) {
    const { rebuilds } = this.projections;
    return dryRun ? rebuilds.compareRollBack() : rebuilds.rollBack({ actor, reason });
  }

  @Delete(':name/generations/:generation')
  @ApiParam(GENERATION_PARAMETER)
  @DescribeProjection({
    summary: 'Remove a build, or a generation that is not read any more, once no earlier read uses it',
    ok: { status: 204, description: 'It is gone' },
    problems: ['unknown_generation', 'generation_is_live'],
  })
  drop(@Param(generationPipe) generation: number): Promise<void> {
    return this.projections.rebuilds.drop(generation);
  }
}
