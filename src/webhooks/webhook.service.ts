import type { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { CommandResult } from '../commands/aggregate.js';
import { RecordCheckoutEvent } from '../commands/checkout.aggregate.js';
import { RecordCustomerEvent } from '../commands/customer.aggregate.js';
import { RecordPaymentEvent } from '../commands/payment.aggregate.js';
import { RecordSubscriptionEvent } from '../commands/subscription.aggregate.js';
import type { ServerClock } from '../database/server-clock.js';
import { type ProblemCode, ProblemError, type ToProblem } from '../http/problem.js';
import { jsonReply, type Reply } from '../http/reply.js';
import type { Metrics, WebhookOutcome } from '../observability/metrics.js';
import { OnceADay } from '../observability/once-a-day.js';
import type { ReconciliationQueue } from '../stripe/reconciliation/reconciliation-queue.js';
import { id } from '../stripe/translate/read-json.js';
import {
  isHandledType,
  type Translation,
  type TranslationOptions,
  translateStripeEvent,
} from '../stripe/translate/stripe-event.translator.js';
import { type Unexpected, unexpectedIn } from '../stripe/translate/unexpected.js';
import type { CheckoutWait } from './checkout-wait.js';
import type { DeliveryHeartbeat } from './delivery-heartbeat.js';
import type { StripeSignature } from './stripe-signature.js';

/** What the reply to a delivery says. */
export const webhookReceipt = z.strictObject({
  received: z.literal(true),
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});
type WebhookReceipt = z.infer<typeof webhookReceipt>;

/** A delivery that was refused: `detail` names what is wrong with which field. Without a good signature it has no id. */
export interface RefusedDelivery {
  readonly code: ProblemCode;
  readonly eventId: string | null;
  /** Stripe's type where it is one that is handled, else `other`; `unread` where the body was not read. */
  readonly type: string;
  readonly detail: string;
}

export interface WebhookServiceOptions {
  readonly signature: StripeSignature;
  readonly livemode: boolean;
  readonly translation: TranslationOptions;
  readonly commands: CommandBus;
  /** Hears what was recorded, duplicates too: what a process forgot when it ended is asked then. */
  readonly reconciliation: Pick<ReconciliationQueue, 'notice'>;
  readonly checkoutWait: CheckoutWait;
  /** Hears of every delivery with a good signature and of our mode. */
  readonly heartbeat: Pick<DeliveryHeartbeat, 'note'>;
  readonly toProblem: ToProblem;
  readonly metrics: Metrics;
  /** Hears, once a day each, what may surprise in what was recorded. */
  readonly onUnexpected: (unexpected: Unexpected) => void;
  /** Hears of every delivery that was refused for what it is. */
  readonly onRefused: (refused: RefusedDelivery) => void;
  /** Throws where the clock of this instance is wrong: what is signed and stored could not be told the right time. */
  readonly clock: Pick<ServerClock, 'now'>;
}

type RecordedTranslation = Extract<Translation, { outcome: 'recorded' }>;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** States of a session's payment in which the buyer owes nothing now (Stripe: Checkout Session `payment_status`). */
const SETTLED: ReadonlySet<string | null> = new Set(['paid', 'no_payment_required']);

/**
 * Receives Stripe's deliveries: checks the signature, translates, has the command executed, and answers when the
 * event is durable and not before. Both roads, the hot one and the controller's, end here.
 */
export class WebhookService {
  #mismatches = 0;
  readonly #told = new OnceADay();

  constructor(private readonly options: WebhookServiceOptions) {}

  /** Deliveries of the other mode since the start: a sign that an endpoint points at the wrong service. */
  get livemodeMismatches(): number {
    return this.#mismatches;
  }

  /**
   * @param body what reads the body, byte for byte
   * @param signature the `Stripe-Signature` header
   * @throws ProblemError, ClockDiffersError and the event store's faults; nothing is stored then, or the delivery may be repeated
   */
  async receive(body: Promise<Buffer>, signature: string | undefined, requestId: string): Promise<Reply> {
    let type = 'unread';
    let eventId: string | null = null;
    try {
      const raw = await body;
      this.options.clock.now();
      const event = this.#read(raw, signature);
      type = typeOf(event);
      eventId = id(Reflect.get(event, 'id'));
      const translation = translateStripeEvent(event, this.options.translation);
      if (translation.outcome === 'malformed') {
        throw new ProblemError('malformed_event', `${translation.problems.join('; ')}.`);
      }
      const receipt = await this.#handle(translation, requestId);
      this.options.metrics.webhook(type, receipt.outcome);
      return jsonReply(200, receipt);
    } catch (error) {
      const problem = this.options.toProblem(error);
      const { status, code, detail } = problem;
      this.options.metrics.webhook(type, outcomeOf(problem));
      if (status < 500) this.options.onRefused({ code, eventId, type, detail });
      throw error;
    }
  }

  #read(raw: Buffer, signature: string | undefined): object {
    let text: string;
    try {
      text = UTF8.decode(raw);
    } catch (cause) {
      throw new ProblemError('malformed_json', 'The body is not UTF-8.', {}, { cause });
    }
    if (!this.options.signature.isValid(text, signature)) {
      throw new ProblemError('invalid_signature', 'The Stripe-Signature header does not sign this body now.');
    }
    const body = parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new ProblemError('malformed_json', 'The body is not a JSON object.');
    }
    return body;
  }

  async #handle(
    translation: Exclude<Translation, { outcome: 'malformed' }>,
    requestId: string,
  ): Promise<WebhookReceipt> {
    const livemode = translation.outcome === 'recorded' ? translation.stripe.livemode : translation.livemode;
    if (livemode !== null && livemode !== this.options.livemode) {
      this.#mismatches += 1;
      return { received: true, outcome: 'ignored', reason: 'livemode_mismatch' };
    }
    this.options.heartbeat.note();
    if (translation.outcome === 'ignored') {
      return { received: true, outcome: 'ignored', reason: translation.reason };
    }
    const recorded: CommandResult = await this.options.commands.execute(commandOf(translation, requestId));
    if (recorded.outcome === 'applied') this.#noteUnexpected(translation.event);
    this.options.reconciliation.notice(translation.event, translation.stripe.created, requestId);
    await this.#holdForCheckout(translation);
    return recorded.outcome === 'applied'
      ? { received: true, outcome: 'applied', event: recorded.event, position: recorded.position }
      : {
          received: true,
          outcome: 'duplicate',
          ...(recorded.position === null ? {} : { position: recorded.position }),
        };
  }

  #noteUnexpected(event: RecordedTranslation['event']): void {
    for (const unexpected of unexpectedIn(event)) {
      this.options.metrics.stripeUnexpected(unexpected.kind);
      if (this.#told.isDue(`${unexpected.kind} ${unexpected.subject}`)) this.options.onUnexpected(unexpected);
    }
  }

  async #holdForCheckout({ event }: RecordedTranslation): Promise<void> {
    if (event.type !== 'CheckoutCompleted') return;
    const { subscription, paymentStatus } = event.data;
    if (subscription === null || !SETTLED.has(paymentStatus)) return;
    this.options.metrics.checkoutWait(await this.options.checkoutWait.until(subscription));
  }
}

function commandOf(
  { stream, event, stripe }: RecordedTranslation,
  requestId: string,
): RecordSubscriptionEvent | RecordCustomerEvent | RecordCheckoutEvent | RecordPaymentEvent {
  const origin = { actor: 'stripe', correlationId: requestId, causation: stripe.eventId, stripe };
  switch (stream.category) {
    case 'subscription':
      return new RecordSubscriptionEvent(stream.id, event, origin);
    case 'customer':
      return new RecordCustomerEvent(stream.id, event, origin);
    case 'checkout':
      return new RecordCheckoutEvent(stream.id, event, origin);
    case 'payment':
      return new RecordPaymentEvent(stream.id, event, origin);
  }
}

/**
 * Parses once. A key `__proto__`, which may stand in anybody's metadata, is a property like any other here: what is read is
 * read by name from own properties, and nothing of the body is assigned to another object.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new ProblemError('malformed_json', 'The body is not JSON that can be taken.', {}, { cause });
    }
    throw cause;
  }
}

/** The metric's label: types come from a closed set. */
function typeOf(event: object): string {
  const type: unknown = Reflect.get(event, 'type');
  return typeof type === 'string' && isHandledType(type) ? type : 'other';
}

function outcomeOf({ code }: ProblemError): WebhookOutcome {
  switch (code) {
    case 'invalid_signature':
      return 'invalid_signature';
    case 'malformed_event':
    case 'malformed_json':
      return 'malformed';
    case 'payload_too_large':
      return 'too_large';
    case 'clock_differs':
    case 'event_store_unavailable':
    case 'database_unavailable':
    case 'log_replaced':
      return 'unavailable';
    default:
      return 'failed';
  }
}
