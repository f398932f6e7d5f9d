import { Body, Controller, Delete, Headers, HttpCode, Param, Post, Put, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { principalOf } from '../../auth/require-key.js';
import type { CommandResult, Origin } from '../../commands/aggregate.js';
import { LinkCustomer, UnlinkCustomer } from '../../commands/customer.aggregate.js';
import { LinkSubscription, UnlinkSubscription } from '../../commands/subscription.aggregate.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { id as stripeId } from '../../stripe/translate/read-json.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import { linkRequest, linksRequest, linksResponse, parseBody, recordedResponse } from '../schemas.js';
import { BulkLinks, type LinkOutcome } from './bulk-links.js';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
const OK = { description: 'Appended, or there already', schema: recordedResponse };
const UNLINK_PROBLEMS = [
  'invalid_request',
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
const KEY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'Repeats with one key count once',
};

@ApiTags('Links')
@Controller('v1')
export class LinksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly bulk: BulkLinks,
  ) {}

  @Put('customers/:customerId/link')
  @ApiParam({ name: 'customerId', type: String })
  @ApiHeader(KEY_HEADER)
  @Describe({
    summary: 'Say whose a customer is',
    ok: OK,
    body: linkRequest,
    problems: LINK_PROBLEMS,
    access: 'ops',
  })
  async linkCustomer(
    @Param('customerId') customerId: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { userId, reason } = parseBody(linkRequest, body);
    checkUserId(userId);
    checkId(customerId);
    const command = new LinkCustomer(customerId, userId, reason ?? null, originOf(request, key));
    await this.#answer(command, request, response);
  }

  @Delete('customers/:customerId/link')
  @ApiParam({ name: 'customerId', type: String })
  @ApiHeader(KEY_HEADER)
  @Describe({
    summary: 'Let the facts decide again whose a customer is',
    ok: OK,
    problems: UNLINK_PROBLEMS,
    access: 'ops',
  })
  async unlinkCustomer(
    @Param('customerId') customerId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkId(customerId);
    await this.#answer(new UnlinkCustomer(customerId, null, originOf(request, key)), request, response);
  }

  @Put('subscriptions/:subscriptionId/link')
  @ApiParam({ name: 'subscriptionId', type: String })
  @ApiHeader(KEY_HEADER)
  @Describe({
    summary: 'Say whose a single subscription is',
    ok: OK,
    body: linkRequest,
    problems: LINK_PROBLEMS,
    access: 'ops',
  })
  async linkSubscription(
    @Param('subscriptionId') subscriptionId: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { userId, reason } = parseBody(linkRequest, body);
    checkUserId(userId);
    checkId(subscriptionId);
    const command = new LinkSubscription(subscriptionId, userId, reason ?? null, originOf(request, key));
    await this.#answer(command, request, response);
  }

  @Delete('subscriptions/:subscriptionId/link')
  @ApiParam({ name: 'subscriptionId', type: String })
  @ApiHeader(KEY_HEADER)
  @Describe({
    summary: 'Let the facts decide again whose a subscription is',
    ok: OK,
    problems: UNLINK_PROBLEMS,
    access: 'ops',
  })
  async unlinkSubscription(
    @Param('subscriptionId') subscriptionId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    checkId(subscriptionId);
    await this.#answer(
      new UnlinkSubscription(subscriptionId, null, originOf(request, key)),
      request,
      response,
    );
  }

  @Post('customers/links')
  @HttpCode(200)
  @Describe({
    summary:
      'Link up to 1,000 customers; each is its own event, so a repeat after a fault goes on where it stopped',
    ok: { description: 'One result a link, in the order sent', schema: linksResponse },
    also: {
      207: {
        description: 'Some are linked, the others `failed` or were `not_tried`: send those again',
        schema: linksResponse,
      },
    },
    body: linksRequest,
    problems: LINK_PROBLEMS,
    access: 'ops',
  })
  async linkCustomers(
    @Body() body: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { links } = parseBody(linksRequest, body);
    for (const { customerId, userId } of links) {
      checkId(customerId);
      checkUserId(userId);
    }
    if (new Set(links.map(({ customerId }) => customerId)).size < links.length) {
      throw new ProblemError('invalid_request', 'A customer is named more than once.');
    }
    const outcomes = await this.bulk.link(
      links.map((link) => ({ ...link, reason: link.reason ?? null })),
      originOf(request, undefined),
    );
    const failed = outcomes.find(({ outcome }) => outcome === 'failed');
    const isAnyRecorded = outcomes.some(({ outcome }) => outcome === 'recorded');
    if (failed?.outcome === 'failed' && !isAnyRecorded) throw failed.problem;
    const reply = jsonReply(failed === undefined ? 200 : 207, { results: outcomes.map(resultOf) });
    sendReply(response, reply, requestIdOf(request));
  }

  async #answer(
    command: LinkCustomer | UnlinkCustomer | LinkSubscription | UnlinkSubscription,
    request: Request,
    response: Response,
  ): Promise<void> {
    const recorded: CommandResult = await this.commands.execute(command);
    sendReply(response, jsonReply(200, textOf(recorded)), requestIdOf(request));
  }
}

function originOf(request: Request, key: string | undefined): Origin {
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
    throw new ProblemError(
      'invalid_request',
      'Idempotency-Key must have 1 to 200 printable ASCII characters.',
    );
  }
  const causation = key === undefined ? null : `key:${key}`;
  return { actor: principalOf(request).actor, correlationId: requestIdOf(request), causation, stripe: null };
}

function checkId(value: string): void {
  if (stripeId(value) === null) throw new ProblemError('invalid_request', 'The Stripe id is not an id.');
}

function resultOf(link: LinkOutcome): Readonly<Record<string, string>> {
  const { customerId, outcome } = link;
  if (outcome === 'recorded') return { customerId, ...textOf(link.recorded) };
  if (outcome === 'not_tried') return { customerId, outcome };
  return { customerId, outcome, code: link.problem.code, detail: link.problem.detail };
}

function textOf(recorded: CommandResult): Readonly<Record<string, string>> {
  const { outcome, position } = recorded;
  return {
    outcome,
    ...(recorded.outcome === 'applied' ? { event: recorded.event } : {}),
    ...(position === null ? {} : { position }),
  };
}
