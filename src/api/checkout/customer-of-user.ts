import { createHash } from 'node:crypto';
import type { CommandBus } from '@nestjs/cqrs';
import type { CommandResult } from '../../commands/aggregate.js';
import { recordingOf, type StripeStream } from '../../commands/recording.js';
import type { DomainEvent } from '../../events/event-types.js';
import type { Position } from '../../events/stored-event.js';
import type { KnownCustomer } from '../../projections/read-models/buyer.reader.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { ObjectAnswer } from '../../stripe/gateway/stripe-answers.js';
import { written } from '../../stripe/gateway/written.js';
import { type AnswerReading, readAnswer, retrievalKey } from '../../stripe/reconciliation/answers.js';
import { answered, PATIENCE_MS } from './stripe-writes.js';

export interface CustomerOfUserOptions {
  readonly gateway: Pick<StripeGateway, 'object' | 'write'>;
  readonly commands: CommandBus;
  readonly reading: AnswerReading;
}

/** The user who buys, and the request that it is for. */
export interface BuyingUser {
  readonly userId: string;
  readonly requestId: string;
}

/**
 * The one customer of a user at Stripe. Whoever asks holds the user's lock: two never make one at the same time. What is
 * made is recorded before anything else is done with it, and its idempotency key says whose it is and after which deleted
 * ones, so that a process that dies in between makes no second one.
 */
export class CustomerOfUser {
  constructor(private readonly options: CustomerOfUserOptions) {}

  /** Whether Stripe still has a customer. One that it has not, or shows deleted, is recorded as that. @throws StripeRefusedError, StripeUnansweredError */
  async stillThere(customer: string, { userId, requestId }: BuyingUser): Promise<boolean> {
    const answer = await this.options.gateway.object({ kind: 'customer', id: customer }, PATIENCE_MS);
    if (answer.outcome === 'not_found') {
      const created = Math.floor(Date.now() / 1_000); // a 404 tells no second of Stripe's that could be relied on
      const stripe = {
        eventId: null,
        eventType: null,
        created,
        apiVersion: null,
        livemode: this.options.reading.livemode,
      };
      const event: DomainEvent = {
        type: 'CustomerRetrieved',
        data: { customer, userId, deleted: false, gone: true },
      };
      const causation = retrievalKey(customer, 'gone');
      await this.#record({ category: 'customer', id: customer }, event, { causation, stripe, requestId });
      return false;
    }
    const shown = answered<ObjectAnswer>('/v1/customers', answer);
    if (shown.object.deleted !== true) return true;
    await this.#recordAnswer(customer, 'deleted', shown, requestId);
    return false;
  }

  /** Makes a customer. `before`: those of the user that are deleted. The position is of its event. @throws StripeRefusedError, StripeUnansweredError */
  async make(
    { userId, requestId }: BuyingUser,
    before: readonly KnownCustomer[],
  ): Promise<{ readonly customer: string; readonly position: Position | null }> {
    const gone = before.map(({ customer }) => customer).sort();
    const answer = await written(
      this.options.gateway,
      {
        method: 'POST',
        path: '/v1/customers',
        params: { metadata: { [this.options.reading.claims.userIdMetadataKey]: userId } },
        idempotencyKey: `tenure-customer-${sha256([userId, ...gone])}`,
      },
      PATIENCE_MS,
    );
    const customer = String(answer.object.id);
    const { position } = await this.#recordAnswer(customer, 'made', answer, requestId);
    return { customer, position };
  }

  async #recordAnswer(
    customer: string,
    why: string,
    answer: ObjectAnswer,
    requestId: string,
  ): Promise<CommandResult> {
    const read = readAnswer({ kind: 'customer', id: customer }, why, answer, this.options.reading);
    if (read.outcome !== 'recorded') throw new Error(`Stripe's answer about ${customer} cannot be recorded`);
    const { stream, event, causation, stripe } = read;
    return this.#record(stream, event, { causation, stripe, requestId });
  }

  #record(
    stream: StripeStream,
    event: DomainEvent,
    {
      causation,
      stripe,
      requestId,
    }: {
      readonly causation: string;
      readonly stripe: Parameters<typeof recordingOf>[2]['stripe'];
      readonly requestId: string;
    },
  ): Promise<CommandResult> {
    const origin = { actor: 'stripe', correlationId: requestId, causation, stripe };
    return this.options.commands.execute(recordingOf(stream, event, origin));
  }
}

/** SHA-256 (hex) of texts, told apart from each other. */
export function sha256(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}
