import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { principalOf } from '../../auth/require-key.js';
import { Describe } from '../../http/describe.js';
import { refuseOthers } from '../../http/parameters.js';
import { emptyReply, jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { parseBody } from '../schemas.js';
import {
  comparisonResponse,
  projectionResponse,
  projectionsResponse,
  rollbackRequest,
  swapRequest,
  swapResponse,
} from './projection.schemas.js';
import {
  BODY,
  checkProjection,
  generationOf,
  LEVEL,
  LOOK,
  NAME_PARAMETER,
  NAMED,
} from './projection-routes.js';
import { viewProjection } from './projection-view.js';

const GENERATION_PARAMETER = { name: 'generation', type: Number };

/** The generations of a projection, over HTTP what `tenure projections` does (DESIGN 10, 12). */
@ApiTags('Projections')
@Controller('v1/ops/projections')
export class ProjectionsController {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  @Get()
  @Describe({
    summary: 'The projections, as the instance that answers knows them',
    ok: { description: 'Each with its generations and its last ten swaps', schema: projectionsResponse },
    problems: LOOK,
    access: 'ops',
  })
  async list(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    refuseOthers(query);
    const projections = [await viewProjection(this.projections)];
    sendReply(response, jsonReply(200, { projections }), requestIdOf(request));
  }

  @Get(':name')
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'How a projection is doing',
    ok: { description: 'State, positions, fault, generations, last ten swaps', schema: projectionResponse },
    problems: [...LOOK, ...NAMED],
    access: 'ops',
  })
  async status(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    sendReply(response, jsonReply(200, await viewProjection(this.projections)), requestIdOf(request));
  }

  @Get(':name/generations/:generation/comparison')
  @ApiParam(NAME_PARAMETER)
  @ApiParam(GENERATION_PARAMETER)
  @Describe({
    summary: 'What a swap to a generation would change; changes nothing',
    ok: {
      description: 'Users who would change, by kind, the first hundred in full',
      schema: comparisonResponse,
    },
    problems: [...LOOK, ...NAMED, ...LEVEL, 'unknown_generation', 'generation_is_live'],
    access: 'ops',
  })
  async comparison(
    @Param('name') name: string,
    @Param('generation') generation: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const report = await this.projections.rebuilds.compare(generationOf(generation));
    sendReply(response, jsonReply(200, report), requestIdOf(request));
  }

  @Post(':name/swap')
  @HttpCode(200)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'Make a build, or an earlier generation, the one that is read',
    ok: { description: 'What the swap changed', schema: swapResponse },
    body: swapRequest,
    problems: [...LOOK, ...NAMED, ...BODY, ...LEVEL, 'unknown_generation', 'generation_is_live'],
    access: 'ops',
  })
  async swap(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { generation, reason } = parseBody(swapRequest, body);
    const { actor } = principalOf(request);
    const report = await this.projections.rebuilds.swap(generation, { actor, reason });
    sendReply(response, jsonReply(200, report), requestIdOf(request));
  }

  @Post(':name/rollback')
  @HttpCode(200)
  @ApiParam(NAME_PARAMETER)
  @Describe({
    summary: 'Go back to what the last swap replaced, or with `dryRun` only compare',
    ok: {
      description: 'What it changed, or would change: then without `swap` and `kind`',
      schema: swapResponse.partial({ swap: true, kind: true }),
    },
    body: rollbackRequest,
    problems: [...LOOK, ...NAMED, ...BODY, ...LEVEL, 'nothing_to_roll_back'],
    access: 'ops',
  })
  async rollback(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    const { dryRun, reason } = parseBody(rollbackRequest, body);
    const { rebuilds: generations } = this.projections;
    const { actor } = principalOf(request);
    const report = dryRun
      ? await generations.compareRollBack()
      : await generations.rollBack({ actor, reason });
    sendReply(response, jsonReply(200, report), requestIdOf(request));
  }

  @Delete(':name/generations/:generation')
  @ApiParam(NAME_PARAMETER)
  @ApiParam(GENERATION_PARAMETER)
  @Describe({
    summary: 'Remove a build, or a generation that is not read any more, once no earlier read uses it',
    ok: { status: 204, description: 'It is gone' },
    problems: [...LOOK, ...NAMED, 'unknown_generation', 'generation_is_live'],
    access: 'ops',
  })
  async drop(
    @Param('name') name: string,
    @Param('generation') generation: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkProjection(name, query);
    await this.projections.rebuilds.drop(generationOf(generation));
    sendReply(response, emptyReply(204), requestIdOf(request));
  }
}
