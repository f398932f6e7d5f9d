import { applyDecorators, Body, Controller, Delete, Param, Post, Put, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, IdempotencyKeyOf } from '../../auth/caller.js';
import type { CommandResult, Origin } from '../../commands/aggregate.js';
import { type CheckoutCommand, LinkCheckout, UnlinkCheckout } from '../../commands/checkout.aggregate.js';
import { type CustomerCommand, LinkCustomer, UnlinkCustomer } from '../../commands/customer.aggregate.js';
import {
  LinkSubscription,
  type SubscriptionCommand,
  UnlinkSubscription,
} from '../../commands/subscription.aggregate.js';
import { Describe, type RouteDescription } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { bodyPipe, NoQueryGuard } from '../../http/validation.js';
import { id as stripeId } from '../../stripe/translate/read-json.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import {
  type LinkRequest,
  type LinksRequest,
  linkRequest,
  linksRequest,
  linksResponse,
  recordedResponse,
} from '../schemas.js';
import { BulkLinks, type LinkOutcome } from './bulk-links.js';

const UNLINK_PROBLEMS = [
  'invalid_request',
  'unsupported_parameter',
  'malformed_url',
  'event_store_unavailable',
  'log_replaced',
  'clock_differs',
] as const;
const LINK_PROBLEMS = [
  ...UNLINK_PROBLEMS,
  'malformed_json',
  'invalid_user_id',
  'payload_too_large',
  'unsupported_media_type',
] as const;

type Recorded = Readonly<Record<string, string>>;

/** Whose customers, subscriptions and single purchases are, as ops say. */
@ApiTags('Links')
@Controller('v1')
@UseGuards(NoQueryGuard)
export class LinksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly bulk: BulkLinks,
  ) {}

  @Put('customers/:customerId/link')
  @DescribeOne('customerId', {
    summary: 'Say whose a customer is',
    body: linkRequest,
    problems: LINK_PROBLEMS,
  })
  linkCustomer(
    @Param('customerId') customer: string,
    @Body(bodyPipe(linkRequest)) { userId, reason }: LinkRequest,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkUserId(userId);
    checkId(customer);
    return this.#execute(new LinkCustomer(customer, userId, reason ?? null, originOf(caller, key)));
  }

  @Delete('customers/:customerId/link')
  @DescribeOne('customerId', {
    summary: 'Let the facts decide again whose a customer is',
    problems: UNLINK_PROBLEMS,
  })
  unlinkCustomer(
    @Param('customerId') customer: string,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkId(customer);
    return this.#execute(new UnlinkCustomer(customer, null, originOf(caller, key)));
  }

  @Put('subscriptions/:subscriptionId/link')
  @DescribeOne('subscriptionId', {
    summary: 'Say whose a single subscription is',
    body: linkRequest,
    problems: LINK_PROBLEMS,
  })
  linkSubscription(
    @Param('subscriptionId') subscription: string,
    @Body(bodyPipe(linkRequest)) { userId, reason }: LinkRequest,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkUserId(userId);
    checkId(subscription);
    return this.#execute(new LinkSubscription(subscription, userId, reason ?? null, originOf(caller, key)));
  }

  @Delete('subscriptions/:subscriptionId/link')
  @DescribeOne('subscriptionId', {
    summary: 'Let the facts decide again whose a subscription is',
    problems: UNLINK_PROBLEMS,
  })
  unlinkSubscription(
    @Param('subscriptionId') subscription: string,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkId(subscription);
    return this.#execute(new UnlinkSubscription(subscription, null, originOf(caller, key)));
  }

  @Put('checkouts/:sessionId/link')
  @DescribeOne('sessionId', {
    summary: 'Say whose a single session is that sold a plan once',
    body: linkRequest,
    problems: LINK_PROBLEMS,
  })
  linkCheckout(
    @Param('sessionId') session: string,
    @Body(bodyPipe(linkRequest)) { userId, reason }: LinkRequest,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkUserId(userId);
    checkId(session);
    return this.#execute(new LinkCheckout(session, userId, reason ?? null, originOf(caller, key)));
  }

  @Delete('checkouts/:sessionId/link')
  @DescribeOne('sessionId', {
    summary: 'Let the facts decide again whose a session is that sold a plan once',
    problems: UNLINK_PROBLEMS,
  })
  unlinkCheckout(
    @Param('sessionId') session: string,
    @CallerOf() caller: Caller,
    @IdempotencyKeyOf() key: string | null,
  ): Promise<Recorded> {
    checkId(session);
    return this.#execute(new UnlinkCheckout(session, null, originOf(caller, key)));
  }

  @Post('customers/links')
  @Describe({
    summary:
      'Link up to 1,000 customers; each is its own event, so a repeat after a fault goes on where it stopped',
    ok: { description: 'One result a link, in the order sent', schema: linksResponse },
    also: {
      207: {
        description: 'Some are linked, the others `failed` or were `not_tried`: send those again',
        schema: linksResponse,
        example: {
          results: [
            { customerId: 'cus_Lark', outcome: 'applied', event: 'CustomerLinked', position: '1842' },
            {
              customerId: 'cus_Wren',
              outcome: 'failed',
              code: 'event_store_unavailable',
              detail: 'The event store does not answer.',
            },
          ],
        },
      },
    },
    body: linksRequest,
    problems: LINK_PROBLEMS,
    access: 'ops',
    idempotency: 'plain',
  })
  async linkCustomers(
    @Body(bodyPipe(linksRequest)) { links }: LinksRequest,
    @CallerOf() caller: Caller,
  ): Promise<Reply> {
    checkAll(links);
    const asked = links.map((link) => ({ ...link, reason: link.reason ?? null }));
    return replyOf(await this.bulk.link(asked, originOf(caller, null)));
  }

  async #execute(command: CustomerCommand | SubscriptionCommand | CheckoutCommand): Promise<Recorded> {
    return textOf(await this.commands.execute(command));
  }
}

/** Describes a route of one link. */
function DescribeOne(parameter: string, route: Omit<RouteDescription, 'ok' | 'access'>): MethodDecorator {
  const ok = { description: 'Appended, or there already', schema: recordedResponse };
  return applyDecorators(
    ApiParam({ name: parameter, type: String }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'Repeats with one key count once',
    }),
    Describe({ ...route, ok, access: 'ops' }),
  );
}

function originOf({ actor, requestId: correlationId }: Caller, key: string | null): Origin {
  return { actor, correlationId, causation: key === null ? null : `key:${key}`, stripe: null };
}

function checkId(value: string): void {
  if (stripeId(value) === null) throw new ProblemError('invalid_request', 'The Stripe id is not an id.');
}

function checkAll(links: LinksRequest['links']): void {
  for (const { customerId, userId } of links) {
    checkId(customerId);
    checkUserId(userId);
  }
  if (new Set(links.map(({ customerId }) => customerId)).size < links.length) {
    throw new ProblemError('invalid_request', 'A customer is named more than once.');
  }
}

/** What became of many links. @throws ProblemError where one failed and none was recorded */
function replyOf(outcomes: readonly LinkOutcome[]): Reply {
  const failed = outcomes.find(({ outcome }) => outcome === 'failed');
  const isAnyRecorded = outcomes.some(({ outcome }) => outcome === 'recorded');
  if (failed?.outcome === 'failed' && !isAnyRecorded) throw failed.problem;
  return jsonReply(failed === undefined ? 200 : 207, { results: outcomes.map(resultOf) });
}

function resultOf(link: LinkOutcome): Recorded {
  const { customerId, outcome } = link;
  if (outcome === 'recorded') return { customerId, ...textOf(link.recorded) };
  if (outcome === 'not_tried') return { customerId, outcome };
  return { customerId, outcome, code: link.problem.code, detail: link.problem.detail };
}

function textOf(recorded: CommandResult): Recorded {
  const { outcome, position } = recorded;
  return {
    outcome,
    ...(recorded.outcome === 'applied' ? { event: recorded.event } : {}),
    ...(position === null ? {} : { position }),
  };
}
