import { applyDecorators, Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Describe, type DescribedAnswer, DescribePage } from '../../http/describe.js';
import { pageParameters, queryPipe } from '../../http/validation.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { OpsReader } from '../../projections/read-models/ops.reader.js';
import {
  conflictsResponse,
  faultsResponse,
  fraudWarningsResponse,
  pendingPaymentsResponse,
  unjoinedPaymentsResponse,
  unlinkedResponse,
  unmappedPricesResponse,
} from '../schemas.js';

const page = z.strictObject(pageParameters);
type Page = z.infer<typeof page>;

/** Lists of what ops may have to mend, a page at a time. */
@ApiTags('Ops')
@DescribePage()
@Controller('v1/ops')
export class OpsController {
  constructor(
    private readonly ops: OpsReader,
    @Inject(PROJECTIONS) private readonly projections: Projections,
  ) {}

  @List('unlinked', 'Customers and subscriptions that belong to nobody yet', {
    description: 'A page, by kind and id',
    schema: unlinkedResponse,
  })
  unlinked(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.ops.unlinked(cursor, limit);
  }

  @List('conflicts', 'Customers and subscriptions whose facts name another user than their owner', {
    description: 'A page, by kind and id',
    schema: conflictsResponse,
  })
  conflicts(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.ops.conflicts(cursor, limit);
  }

  @List('faults', 'Streams of which events are set aside, and users who cannot be judged', {
    description: 'A page, by kind and id',
    schema: faultsResponse,
  })
  faults(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.ops.faults(cursor, limit);
  }

  @List('unmapped-prices', 'Prices of subscriptions that are in no plan and no add-on', {
    description:
      "A page by price, with for how many users it gives nothing, or counts as a plan's own, and the first of them",
    schema: unmappedPricesResponse,
  })
  unmappedPrices(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.projections.attention.unmappedPrices(cursor, limit);
  }

  @List('pending-payments', 'Users who asked for a higher plan that is not paid yet, and why it waits', {
    description: 'A page by user id; it may be short while `next` says that there is more',
    schema: pendingPaymentsResponse,
  })
  pendingPayments(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.projections.attention.pendingPayments(cursor, limit);
  }

  @List(
    'unjoined-payments',
    'Refunded and disputed payments of no invoice and no checkout session that is known',
    {
      description: 'A page by payment: what of it was refunded or disputed takes nothing',
      schema: unjoinedPaymentsResponse,
    },
  )
  unjoinedPayments(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.projections.payments.unjoined(cursor, limit);
  }

  @List('fraud-warnings', 'Early fraud warnings that can still be acted on', {
    description: 'A page by payment, with every such warning of it and whose it is',
    schema: fraudWarningsResponse,
  })
  fraudWarnings(@Query(queryPipe(page)) { cursor, limit }: Page) {
    return this.projections.payments.fraudWarnings(cursor, limit);
  }
}

/** A route that lists something for ops. */
function List(path: string, summary: string, ok: DescribedAnswer): MethodDecorator {
  return applyDecorators(
    Get(path),
    Describe({
      summary,
      ok,
      problems: ['invalid_request', 'unsupported_parameter', 'database_unavailable'],
      access: 'ops',
    }),
  );
}
