import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Describe, DescribePage } from '../../http/describe.js';
import { minPositionParameter } from '../../http/read-position.js';
import { pageParameters, queryPipe, textParameter } from '../../http/validation.js';
import { entitlementSchema } from '../../projections/entitlements/user-row.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { PSEUDONYMS, type Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { faultedSchema } from '../schemas.js';

const status = entitlementSchema.shape.status;
/** A page of users, each as the snapshot says now. */
export const usersResponse = z.strictObject({
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
const usersQuery = z.strictObject({
  plan: textParameter('plan', 'the name of a plan'),
  role: textParameter('role', 'the name of a role'),
  status: z
    .enum(status.options, { error: `status must be one of ${status.options.join(', ')}.` })
    .nullable()
    .default(null),
  minPosition: minPositionParameter,
  ...pageParameters,
});
type UsersQuery = z.infer<typeof usersQuery>;
const OPTIONAL = { type: String, required: false };

@ApiTags('Entitlements')
@Controller('v1/users')
export class UsersController {
  constructor(
    @Inject(PROJECTIONS) private readonly projections: Projections,
    @Inject(PSEUDONYMS) private readonly pseudonyms: Pseudonyms | null,
  ) {}

  @Get()
  @ApiQuery({ name: 'plan', ...OPTIONAL })
  @ApiQuery({ name: 'role', ...OPTIONAL })
  @ApiQuery({ name: 'status', ...OPTIONAL, enum: status.options })
  @DescribePage()
  @Describe({
    summary: 'Users by id, as their snapshots say now; users never heard of are in no list',
    ok: { description: 'A page as of one moment', schema: usersResponse },
    problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
    access: 'entitlements:read',
    position: 'read',
  })
  async list(@Query(queryPipe(usersQuery)) { cursor, limit, minPosition: _reached, ...filter }: UsersQuery) {
    const page = await this.projections.users.page(filter, cursor, limit);
    if (this.pseudonyms === null) return page;
    return { ...page, items: await this.pseudonyms.withUserId(page.items, ({ userId }) => userId) };
  }
}
