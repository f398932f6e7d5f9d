import { Body, Controller, Delete, Get, Param, Patch, Post, Req, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { type Caller, CallerOf } from '../../auth/caller.js';
import { BODY_PROBLEMS, Describe } from '../../http/describe.js';
import { canonicalPath, idempotencyKeyOf, keyReused, stableId } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import { emptyReply, jsonReply, type Reply } from '../../http/reply.js';
import { bodyPipe, NoQueryGuard, ParsePipe } from '../../http/validation.js';
import { faultOfUrl } from '../../reactions/webhooks/endpoint.js';
import { EndpointRepository } from '../../reactions/webhooks/endpoint.repository.js';
import { testMessage } from '../../reactions/webhooks/envelope.js';
import { MessageSender } from '../../reactions/webhooks/sender.js';
import {
  type EndpointPatch,
  type EndpointRequest,
  endpointPatch,
  endpointRequest,
  endpointResponse,
  endpointsResponse,
  secretResponse,
  testResponse,
} from './webhook-endpoints.schemas.js';
import { endpointView } from './webhook-endpoints.views.js';

const ID = { name: 'id', schema: { type: 'string' }, description: 'Of the endpoint, whe_…' } as const;
const NAMED = ['unsupported_parameter', 'not_found', 'malformed_url', 'database_unavailable'] as const;
/** Answers `not_found` to what is no id that Tenure makes, before a database is asked for it. */
const idPipe = new ParsePipe((id) => {
  if (typeof id !== 'string' || !/^whe_[\w-]{1,100}$/.test(id)) throw unknownEndpoint();
  return id;
});

/** Where outgoing webhooks go. */
@ApiTags('Ops')
@Controller('v1/ops/webhook-endpoints')
@UseGuards(NoQueryGuard)
export class WebhookEndpointsController {
  constructor(
    private readonly endpoints: EndpointRepository,
    private readonly sender: MessageSender,
  ) {}

  @Get()
  @Describe({
    summary: 'Endpoints of outgoing webhooks',
    ok: { description: 'All of them, without their secrets', schema: endpointsResponse },
    problems: ['unsupported_parameter', 'database_unavailable'],
    access: 'ops',
  })
  async list() {
    return { endpoints: (await this.endpoints.list()).map(endpointView) };
  }

  @Post()
  @Describe({
    summary: 'Make an endpoint: it is sent what happens from now on',
    ok: {
      status: 201,
      description: 'Made, with its secret, which is shown this once',
      schema: secretResponse,
    },
    body: endpointRequest,
    problems: [
      ...BODY_PROBLEMS,
      'invalid_request',
      'unsupported_parameter',
      'url_not_allowed',
      'clock_differs',
      'database_unavailable',
    ],
    access: 'ops',
    idempotency: 'sealed',
  })
  async create(
    @Body(bodyPipe(endpointRequest)) asked: EndpointRequest,
    @CallerOf() { actor }: Caller,
    @Req() request: Request,
  ): Promise<Reply> {
    this.#checkUrl(asked.url);
    const keyed = { caller: actor, path: canonicalPath(request), key: idempotencyKeyOf(request) };
    const id = `whe_${stableId(keyed)}`;
    const made = await this.endpoints.create({ ...asked, id, createdBy: actor });
    if (made === null) throw keyReused();
    const { endpoint, secret } = made;
    return jsonReply(
      201,
      { ...endpointView(endpoint), secret },
      { location: `/v1/ops/webhook-endpoints/${id}` },
    );
  }

  @Get(':id')
  @ApiParam(ID)
  @Describe({
    summary: 'An endpoint',
    ok: { description: 'Without its secret', schema: endpointResponse },
    problems: NAMED,
    access: 'ops',
  })
  async find(@Param('id', idPipe) id: string) {
    return endpointView(known(await this.endpoints.find(id)));
  }

  @Patch(':id')
  @ApiParam(ID)
  @Describe({
    summary: 'Change where messages go, which, or pause them',
    ok: { description: 'As it is now', schema: endpointResponse },
    body: endpointPatch,
    problems: [...NAMED, ...BODY_PROBLEMS, 'invalid_request', 'url_not_allowed'],
    access: 'ops',
    idempotency: 'plain',
  })
  async change(@Param('id', idPipe) id: string, @Body(bodyPipe(endpointPatch)) patch: EndpointPatch) {
    if (patch.url !== undefined) this.#checkUrl(patch.url);
    return endpointView(known(await this.endpoints.change(id, patch)));
  }

  @Delete(':id')
  @ApiParam(ID)
  @Describe({
    summary: 'Remove an endpoint, with the messages that wait for it',
    ok: { status: 204, description: 'It is gone' },
    problems: NAMED,
    access: 'ops',
  })
  async remove(@Param('id', idPipe) id: string): Promise<Reply> {
    if (!(await this.endpoints.remove(id))) known(null);
    return emptyReply(204);
  }

  @Post(':id/rotate')
  @ApiParam(ID)
  @Describe({
    summary: 'Give an endpoint a new secret; for 24 h the one of before signs beside it',
    ok: { description: 'With the new secret, which is shown this once', schema: secretResponse },
    problems: [...NAMED, ...BODY_PROBLEMS, 'clock_differs'],
    access: 'ops',
    idempotency: 'sealed',
  })
  async rotate(@Param('id', idPipe) id: string): Promise<Reply> {
    const { endpoint, secret } = known(await this.endpoints.rotate(id));
    return jsonReply(200, { ...endpointView(endpoint), secret });
  }

  @Post(':id/test')
  @ApiParam(ID)
  @Describe({
    summary: 'Send an endpoint a message of the type webhook.test, once and now',
    ok: { description: 'How that went', schema: testResponse },
    problems: [...NAMED, ...BODY_PROBLEMS],
    access: 'ops',
  })
  async test(@Param('id', idPipe) id: string): Promise<Reply> {
    const endpoint = known(await this.endpoints.find(id));
    const message = testMessage(id);
    return jsonReply(200, { id: message.id, ...(await this.sender.test(endpoint, message)) });
  }

  /** @throws ProblemError `url_not_allowed` */
  #checkUrl(url: string): void {
    const fault = faultOfUrl(url, this.sender.addresses);
    if (fault !== null) throw new ProblemError('url_not_allowed', fault);
  }
}

function known<T>(found: T | null): T {
  if (found === null) throw unknownEndpoint();
  return found;
}

function unknownEndpoint(): ProblemError {
  return new ProblemError('not_found', 'There is no such endpoint.');
}
