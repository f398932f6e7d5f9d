import type { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { CommandResult, StripeAnswerOrigin, StripeOrigin } from '../commands/aggregate.js';
import { recordingOf, type StripeStream } from '../commands/recording.js';
import type { ServerClock } from '../database/server-clock.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Position } from '../events/stored-event.js';
import { type ProblemCode, ProblemError, type ToProblem } from '../http/problem.js';
import { jsonReply, type Reply } from '../http/reply.js';
import type { Metrics, WebhookOutcome } from '../observability/metrics.js';
import { OnceADay } from '../observability/once-a-day.js';
import type { StripeIds } from '../pseudonyms/stripe-ids.js';
import type { ReconciliationQueue } from '../stripe/reconciliation/reconciliation-queue.js';
import { id, type JsonObject } from '../stripe/translate/read-json.js';
import {
  isHandledType,
  type TranslationOptions,
  translateStripeEvent,
} from '../stripe/translate/stripe-event.translator.js';
import { isHandledThinType, isThinEvent, readThinEvent } from '../stripe/translate/thin-event.js';
import { type Unexpected, unexpectedIn } from '../stripe/translate/unexpected.js';
import { awaitedBy, type CheckoutWait } from './checkout-wait.js';
import { readDelivery } from './delivery-body.js';
import type { DeliveryHeartbeat } from './delivery-heartbeat.js';
import type { HandledDelivery } from './recent-deliveries.js';
import type { StripeSignature } from './stripe-signature.js';
import type { ThinEvents } from './thin-events.js';

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
  readonly reconciliation: Pick<ReconciliationQueue, 'notice' | 'asks'>;
  readonly checkoutWait: CheckoutWait;
  /** Hears of every delivery with a good signature and of our mode. */
  readonly heartbeat: Pick<DeliveryHeartbeat, 'note'>;
  /** Fetches what thin events stand for. */
  readonly thinEvents: Pick<ThinEvents, 'fetch' | 'withoutKey'>;
  /** Puts what stands for user ids inside in their place; `null` or left out: they are the same inside. */
  readonly ids?: Pick<StripeIds, 'inwards'> | null;
  readonly toProblem: ToProblem;
  readonly metrics: Metrics;
  /** Hears, once a day each, what may surprise in what was recorded. */
  readonly onUnexpected: (unexpected: Unexpected) => void;
  /** Hears of every delivery that was refused for what it is. */
  readonly onRefused: (refused: RefusedDelivery) => void;
  /** Hears of every delivery once it is answered. */
  readonly onHandled: (delivery: Omit<HandledDelivery, 'number'>) => void;
  /** Throws where the clock of this instance is wrong: what is signed and stored could not be told the right time. */
  readonly clock: Pick<ServerClock, 'now'>;
}

/** What Stripe said, by a delivery or asked, and the key by which it counts once. */
interface ToRecord {
  readonly stream: StripeStream;
  readonly event: DomainEvent;
  readonly stripe: StripeOrigin | StripeAnswerOrigin;
  readonly causation: string;
}

/**
 * Receives Stripe's deliveries: checks the signature, translates, has the command executed, and answers when the
 * event is durable and not before. The hot route and the controller both end here.
 */
export class WebhookService {
  #mismatches = 0;
  readonly #told = new OnceADay();

  constructor(private readonly options: WebhookServiceOptions) {}

  /** Deliveries of the other mode since the start: a sign that an endpoint points at the wrong service. */
  get livemodeMismatches(): number {
    return this.#mismatches;
  }

  /** Thin events since the start that there was no key to fetch with. */
  get thinWithoutKey(): number {
    return this.options.thinEvents.withoutKey;
  }

  /**
   * @param body what reads the body, byte for byte
   * @param signature the `Stripe-Signature` header
   * @throws ProblemError, ClockDiffersError and the event store's faults; nothing is stored then, or the delivery may be repeated
   */
  async receive(body: Promise<Buffer>, signature: string | undefined, requestId: string): Promise<Reply> {
    const start = performance.now();
    let type = 'unread';
    let eventId: string | null = null;
    let stripeType: string | null = null;
    const tell = (outcome: WebhookOutcome, said: Partial<WebhookReceipt>): void =>
      this.options.onHandled({
        at: new Date().toISOString(),
        eventId,
        type: stripeType,
        outcome,
        detail: said.reason ?? null,
        event: said.event ?? null,
        position: said.position ?? null,
        milliseconds: Math.round((performance.now() - start) * 10) / 10,
        requestId,
      });
    try {
      const raw = await body;
      this.options.clock.now();
      const event = readDelivery(raw, signature, this.options.signature);
      type = typeOf(event);
      eventId = id(event.id);
      stripeType = id(event.type);
      const receipt = isThinEvent(event)
        ? await this.#receiveThin(event, requestId)
        : await this.#receiveSnapshot(await this.#inside(event), requestId);
      this.options.metrics.webhook(type, receipt.outcome);
      tell(receipt.outcome, receipt);
      const { position } = receipt;
      return jsonReply(200, receipt, position === undefined ? {} : { 'tenure-position': position });
    } catch (error) {
      const problem = this.options.toProblem(error);
      const { status, code, detail } = problem;
      const outcome = outcomeOf(problem);
      this.options.metrics.webhook(type, outcome);
      tell(outcome, { reason: detail });
      if (status < 500) this.options.onRefused({ code, eventId, type, detail });
      throw error;
    }
  }

  async #receiveSnapshot(body: JsonObject, requestId: string): Promise<WebhookReceipt> {
    const translation = translateStripeEvent(body, this.options.translation);
    if (translation.outcome === 'malformed') throw malformed(translation);
    if (translation.outcome === 'ignored') {
      return this.#ignored(translation.livemode, translation.reason);
    }
    const { stream, event, stripe } = translation;
    if (this.#isOtherMode(stripe.livemode)) return OTHER_MODE;
    return this.#record({ stream, event, stripe, causation: stripe.eventId }, requestId);
  }

  /** As it is read inside; what is not recorded makes nobody known. */
  async #inside(event: JsonObject): Promise<JsonObject> {
    const { ids = null } = this.options;
    return ids !== null && typeof event.type === 'string' && isHandledType(event.type)
      ? ids.inwards(event)
      : event;
  }

  async #receiveThin(body: JsonObject, requestId: string): Promise<WebhookReceipt> {
    const thin = readThinEvent(body, this.options.translation.account);
    if (thin.outcome === 'malformed') throw malformed(thin);
    if (thin.outcome === 'ignored') return this.#ignored(thin.livemode, thin.reason);
    if (this.#isOtherMode(thin.livemode)) return OTHER_MODE;
    this.options.heartbeat.note();
    const fetched = await this.options.thinEvents.fetch(thin);
    switch (fetched.of) {
      case 'event':
        return this.#receiveSnapshot(fetched.body, requestId);
      case 'object':
        return this.#record(fetched.read, requestId);
      case 'nothing':
        return { received: true, outcome: 'ignored', reason: fetched.reason };
    }
  }

  #ignored(livemode: boolean | null, reason: string): WebhookReceipt {
    if (this.#isOtherMode(livemode)) return OTHER_MODE;
    this.options.heartbeat.note();
    return { received: true, outcome: 'ignored', reason };
  }

  #isOtherMode(livemode: boolean | null): boolean {
    const isOther = livemode !== null && livemode !== this.options.livemode;
    if (isOther) this.#mismatches += 1;
    return isOther;
  }

  async #record({ stream, event, stripe, causation }: ToRecord, requestId: string): Promise<WebhookReceipt> {
    const { commands, heartbeat, reconciliation } = this.options;
    heartbeat.note();
    const origin = { actor: 'stripe', correlationId: requestId, causation, stripe };
    const recorded: CommandResult = await commands.execute(recordingOf(stream, event, origin));
    if (recorded.outcome === 'applied') this.#noteUnexpected(event);
    reconciliation.notice(event, { key: causation, created: stripe.created }, requestId);
    await this.#holdForCheckout(event, recorded.position);
    return recorded.outcome === 'applied'
      ? { received: true, outcome: 'applied', event: recorded.event, position: recorded.position }
      : {
          received: true,
          outcome: 'duplicate',
          ...(recorded.position === null ? {} : { position: recorded.position }),
        };
  }

  #noteUnexpected(event: DomainEvent): void {
    for (const unexpected of unexpectedIn(event)) {
      this.options.metrics.stripeUnexpected(unexpected.kind);
      if (this.#told.isDue(`${unexpected.kind} ${unexpected.subject}`)) this.options.onUnexpected(unexpected);
    }
  }

  async #holdForCheckout(event: DomainEvent, position: Position | null): Promise<void> {
    const { checkoutWait, metrics, reconciliation } = this.options;
    const awaited = awaitedBy(event, reconciliation.asks);
    if (awaited !== null) metrics.checkoutWait(await checkoutWait.until({ ...awaited, position }));
  }
}

const OTHER_MODE = { received: true, outcome: 'ignored', reason: 'livemode_mismatch' } as const;

function malformed({ problems }: { readonly problems: readonly string[] }): ProblemError {
  return new ProblemError('malformed_event', `${problems.join('; ')}.`);
}

/** The metric's label: types come from a closed set. */
function typeOf({ type }: JsonObject): string {
  return typeof type === 'string' && (isHandledType(type) || isHandledThinType(type)) ? type : 'other';
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
    case 'stripe_unavailable':
    case 'thin_events_need_api_key':
      return 'unavailable';
    default:
      return 'failed';
  }
}
