import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Pool } from 'pg';
import { z } from 'zod';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { Describe, DescribePage } from '../../http/describe.js';
import { pageParameters, queryPipe } from '../../http/validation.js';
import { PseudonymListsReader } from '../../pseudonyms/pseudonym-lists.reader.js';
import { erasedClaimsResponse, missingPseudonymsResponse } from './pseudonyms.schemas.js';

const page = z.strictObject(pageParameters);
type Page = z.infer<typeof page>;
const LISTING = {
  problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
  access: 'ops',
} as const;

/** What ops look at where user ids are kept as pseudonyms. */
@ApiTags('Ops')
@DescribePage()
@Controller('v1/ops')
export class PseudonymsController {
  readonly #reader: PseudonymListsReader;
  readonly #userIds: Settings['ownUserIds']['kept'];

  constructor(@Inject(POOL) pool: Pool, @Inject(SETTINGS) { ownUserIds }: Settings) {
    this.#reader = new PseudonymListsReader(pool);
    this.#userIds = ownUserIds.kept;
  }

  @Get('erased-claims')
  @Describe({
    summary: 'Stripe objects that name users who are erased, and so are nobody’s until ops link them',
    ok: { description: 'A page, by the id of the object', schema: erasedClaimsResponse },
    ...LISTING,
  })
  async erasedClaims(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return { ...(await this.#reader.erasedClaims(cursor, limit)), userIds: this.#userIds };
  }

  @Get('missing-pseudonyms')
  @Describe({
    summary: 'Pseudonyms of users whose ids were lost without an erasure',
    ok: { description: 'A page, by pseudonym', schema: missingPseudonymsResponse },
    ...LISTING,
  })
  async missing(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return { ...(await this.#reader.missing(cursor, limit)), userIds: this.#userIds };
  }
}
