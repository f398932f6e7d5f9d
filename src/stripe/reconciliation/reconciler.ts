import type { CommandBus } from '@nestjs/cqrs';
import { recordingOf, type StripeStream } from '../../commands/recording.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamName } from '../../events/stream-names.js';
import type { StripeObjectRef } from '../gateway/object-kind.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import type { NoAnswer } from '../gateway/stripe-answers.js';
import {
  type Ambiguity,
  ambiguityOf,
  ambiguityOfCheckout,
  ambiguityOfCustomer,
  ambiguityOfInvoice,
  ambiguityOfPayment,
} from './ambiguity.js';
import { type AnswerReading, type ReadAnswer, readAnswer } from './answers.js';
import { INVOICE_PAYMENTS, invoicesPaidBy, readInvoicesPaid } from './payment-invoices.js';
import { readStreamFacts, type StreamFacts } from './stream-facts.js';

export interface ReconcilerOptions extends AnswerReading {
  readonly gateway: StripeGateway;
  readonly store: EventStore;
  readonly commands: CommandBus;
  readonly streamPrefix: string;
  /** Whether an invoice or a session is named with a payment, as far as is folded; `null` where nothing of it is. */
  readonly isJoined: (payment: string) => Promise<boolean | null>;
}

/**
 * A subscription, an invoice, a customer, a checkout session or a payment to look at, and the stream that tells of it. `namedBy` is the event of a completed checkout
 * that names the subscription; `correlationId` of who told of it.
 */
export interface Question {
  readonly about: AskedObject | { readonly kind: 'payment'; readonly id: string };
  readonly on: StripeStream;
  readonly namedBy: string | null;
  readonly correlationId: string;
}

/** What is asked for by its own id. */
type AskedObject = StripeObjectRef & { readonly kind: 'subscription' | 'invoice' | 'customer' | 'checkout' };

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
    const { about, on, namedBy, correlationId } = question;
    const { store, streamPrefix } = this.options;
    const facts = await readStreamFacts(store, streamName(streamPrefix, on));
    if (about.kind === 'payment') return this.#lookForInvoices(about.id, facts, correlationId);
    const ambiguity = ambiguityIn(facts, about, namedBy);
    if (ambiguity === null) return { outcome: 'no_doubt' };
    const early = (ambiguity.after + 1) * 1_000 - Date.now();
    if (early > 0) return { outcome: 'too_early', againInMs: Math.min(early, MAX_PAUSE_MS) };

    const answer = await this.options.gateway.object(about);
    if (answer.outcome !== 'answered') return unanswered(answer);
    if (answer.answeredAt <= ambiguity.after) return { outcome: 'too_early', againInMs: NEXT_SECOND_MS };
    const read = readAnswer(about, ambiguity.why, answer, this.options);
    if (read.outcome !== 'recorded') {
      return { outcome: 'unanswered', why: read.outcome === 'ignored' ? read.reason : read.why };
    }
    await this.#record(read, correlationId);
    return { outcome: 'settled' };
  }

  /** Asks which invoices a payment paid, where nothing that is folded is named with it. */
  async #lookForInvoices(
    payment: string,
    facts: StreamFacts,
    correlationId: string,
  ): Promise<ReconciliationOutcome> {
    const { isJoined, gateway } = this.options;
    const ambiguity = ambiguityOfPayment(facts);
    const names = facts.payments.find(({ data }) => data.paymentIntent !== null)?.data;
    const query = names === undefined ? null : invoicesPaidBy(names);
    if (ambiguity === null || names === undefined || query === null) return { outcome: 'no_doubt' };
    const joined = await isJoined(payment);
    if (joined === null) return { outcome: 'too_early', againInMs: NEXT_SECOND_MS };
    if (joined) return { outcome: 'no_doubt' };
    const answer = await gateway.page(INVOICE_PAYMENTS, query);
    if (answer.outcome !== 'answered') return unanswered(answer);
    for (const read of readInvoicesPaid(names, ambiguity.why, answer, this.options)) {
      if (read.outcome === 'unusable') return { outcome: 'unanswered', why: read.why };
      if (read.outcome === 'recorded') await this.#record(read, correlationId);
    }
    return { outcome: 'settled' };
  }

  async #record(
    { stream, event, causation, stripe }: Extract<ReadAnswer, { outcome: 'recorded' }>,
    correlationId: string,
  ): Promise<void> {
    const origin = { actor: 'stripe', correlationId, causation, stripe };
    await this.options.commands.execute(recordingOf(stream, event, origin));
  }
}

function ambiguityIn(
  { observations, invoices, customers, checkouts, started }: StreamFacts,
  { kind, id }: AskedObject,
  namedBy: string | null,
): Ambiguity | null {
  switch (kind) {
    case 'subscription':
      return ambiguityOf(observations, namedBy);
    case 'invoice':
      return ambiguityOfInvoice(invoices.filter(({ data }) => data.invoice === id));
    case 'customer':
      return ambiguityOfCustomer(customers);
    case 'checkout':
      return ambiguityOfCheckout({ observations: checkouts, started });
  }
}

function unanswered({ outcome, status, requestId }: NoAnswer): ReconciliationOutcome {
  return { outcome: 'unanswered', why: `${outcome}, status ${status}, request ${requestId}` };
}
