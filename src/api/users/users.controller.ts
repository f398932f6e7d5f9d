import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Describe } from '../../http/describe.js';
import { cursorOf, DEFAULT_LIMIT, limitOf, MAX_LIMIT, refuseOthers, textOf } from '../../http/parameters.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { entitlementSchema } from '../../projections/entitlements/user-row.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { faultedSchema } from '../schemas.js';

const status = entitlementSchema.shape.status;
const usersResponse = z.strictObject({
  items: z.array(
    entitlementSchema
      .pick({
        role: true,
        plan: true,
        status: true,
        subscriptionActive: true,
        expiresAt: true,
        cancelAt: true,
        validUntil: true,
      })
      .extend({
        userId: z.string(),
        revocationVersion: z.number().int(),
        changedAt: z.string().nullable(),
        faulted: faultedSchema.optional(),
      }),
  ),
  next: z.string().nullable(),
});
const OPTIONAL = { type: String, required: false };

@ApiTags('Entitlements')
@Controller('v1/users')
export class UsersController {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  @Get()
  @ApiQuery({ name: 'plan', ...OPTIONAL })
  @ApiQuery({ name: 'role', ...OPTIONAL })
  @ApiQuery({ name: 'status', ...OPTIONAL, enum: status.options })
  @ApiQuery({ name: 'cursor', ...OPTIONAL, description: '`next` of the page before' })
  @ApiQuery({
    name: 'limit',
    type: Number,
    required: false,
    description: `1 to ${MAX_LIMIT}, ${DEFAULT_LIMIT} when left out`,
  })
  @Describe({
    summary: 'Users by id, as their snapshots say now; users never heard of are in no list',
    ok: { description: 'A page as of one moment', schema: usersResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'entitlements:read',
  })
  async list(
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { plan, role, status, cursor, limit, ...others } = query;
    refuseOthers(others);
    const filter = {
      plan: textOf('plan', plan, 'the name of a plan'),
      role: textOf('role', role, 'the name of a role'),
      status: statusOf(status),
    };
    const page = await this.projections.users.page(filter, cursorOf(cursor), limitOf(limit));
    sendReply(response, jsonReply(200, page), requestIdOf(request));
  }
}

function statusOf(value: unknown): z.infer<typeof status> | null {
  if (value === undefined) return null;
  const parsed = status.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError('invalid_request', `status must be one of ${status.options.join(', ')}.`);
}
