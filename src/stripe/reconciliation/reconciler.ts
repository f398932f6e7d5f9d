import type { CommandBus } from '@nestjs/cqrs';
import { recordingOf, type StripeStream } from '../../commands/recording.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamName } from '../../events/stream-names.js';
import type { StripeObjectRef } from '../gateway/object-kind.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import {
  type Ambiguity,
  ambiguityOf,
  ambiguityOfCheckout,
  ambiguityOfCustomer,
  ambiguityOfInvoice,
} from './ambiguity.js';
import { type AnswerReading, readAnswer } from './answers.js';
import { readStreamFacts } from './stream-facts.js';

export interface ReconcilerOptions extends AnswerReading {
  readonly gateway: StripeGateway;
  readonly store: EventStore;
  readonly commands: CommandBus;
  readonly streamPrefix: string;
}

/**
 * A subscription, an invoice, a customer or a checkout session to look at, and the stream that tells of it. `namedBy` is the event of a completed checkout
 * that names the subscription; `correlationId` of who told of it.
 */
export interface Question {
  readonly about: StripeObjectRef & { readonly kind: 'subscription' | 'invoice' | 'customer' | 'checkout' };
  readonly on: StripeStream;
  readonly namedBy: string | null;
  readonly correlationId: string;
}

/**
 * What a look came to: nothing is in doubt (any more); the answer is in the log; there is none and the service goes on
 * without (`why` is for the log and quotes no data); or it is too early and to be looked at again.
 */
export type ReconciliationOutcome =
  | { readonly outcome: 'no_doubt' | 'settled' }
  | { readonly outcome: 'unanswered'; readonly why: string }
  | { readonly outcome: 'too_early'; readonly againInMs: number };

const MAX_PAUSE_MS = 2_000;
/** Stripe's clock may be behind ours: its next second is soon. */
const NEXT_SECOND_MS = 1_000;

/**
 * Looks whether something is in doubt, asks Stripe and records the answer. The log is read each time, so that one answer
 * settles all that was told before it, and nothing settled is asked again; instances that ask at once record once, by what
 * they asked about.
 */
export class Reconciler {
  constructor(private readonly options: ReconcilerOptions) {}

  /** @throws what the event store, its events and the command throw */
  async look(question: Question): Promise<ReconciliationOutcome> {
    const { about, correlationId } = question;
    const ambiguity = await this.#ambiguity(question);
    if (ambiguity === null) return { outcome: 'no_doubt' };
    const early = (ambiguity.after + 1) * 1_000 - Date.now();
    if (early > 0) return { outcome: 'too_early', againInMs: Math.min(early, MAX_PAUSE_MS) };

    const answer = await this.options.gateway.object(about);
    if (answer.outcome !== 'answered') {
      const { outcome, status, requestId } = answer;
      return { outcome: 'unanswered', why: `${outcome}, status ${status}, request ${requestId}` };
    }
    if (answer.answeredAt <= ambiguity.after) return { outcome: 'too_early', againInMs: NEXT_SECOND_MS };
    const read = readAnswer(about, ambiguity.why, answer, this.options);
    if (read.outcome !== 'recorded') {
      return { outcome: 'unanswered', why: read.outcome === 'ignored' ? read.reason : read.why };
    }
    const { stream, event, causation, stripe } = read;
    const origin = { actor: 'stripe', correlationId, causation, stripe };
    await this.options.commands.execute(recordingOf(stream, event, origin));
    return { outcome: 'settled' };
  }

  async #ambiguity({ about, on, namedBy }: Question): Promise<Ambiguity | null> {
    const { store, streamPrefix } = this.options;
    const facts = await readStreamFacts(store, streamName(streamPrefix, on));
    switch (about.kind) {
      case 'subscription':
        return ambiguityOf(facts.observations, namedBy);
      case 'invoice':
        return ambiguityOfInvoice(facts.invoices.filter(({ data }) => data.invoice === about.id));
      case 'customer':
        return ambiguityOfCustomer(facts.customers);
      case 'checkout':
        return ambiguityOfCheckout({ observations: facts.checkouts, started: facts.started });
    }
  }
}
