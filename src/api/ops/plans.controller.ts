import { Body, Controller, Inject, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BODY_PROBLEMS, Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { NoQueryGuard, ParsePipe } from '../../http/validation.js';
import { InvalidPlanFileError, type LoadedCatalog, parsePlanBody } from '../../plans/plan-file.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { publicationResponse } from './projection.schemas.js';
import { LOOK } from './projection-routes.js';

const planFile = z.record(z.string(), z.unknown());

/** The catalogue of a plan file that was sent as JSON, or `invalid_request` with the faults of it. */
const planFilePipe = new ParsePipe((body): LoadedCatalog => {
  if (body === undefined) throw new ProblemError('invalid_request', 'Send the plan file as JSON.');
  try {
    return parsePlanBody(body);
  } catch (error) {
    if (!(error instanceof InvalidPlanFileError)) throw error;
    throw new ProblemError('invalid_request', error.lines.join('; '), {}, { cause: error });
  }
});

/** The plan catalogue, as ops ask of it. */
@ApiTags('Plans')
@Controller('v1/ops/plans')
export class PlansController {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  @Post('diff')
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: 'Who would gain and lose what if a plan file were published now; changes nothing',
    ok: {
      description: 'Users who would change, by kind, the first hundred in full',
      schema: publicationResponse,
    },
    body: planFile,
    problems: [
      ...LOOK,
      ...BODY_PROBLEMS,
      'invalid_request',
      'no_catalog',
      'publication_under_way',
      'publication_would_fault',
    ],
    access: 'ops',
  })
  diff(@Body(planFilePipe) given: LoadedCatalog) {
    return this.projections.previewPublication(given, () => undefined);
  }
}
