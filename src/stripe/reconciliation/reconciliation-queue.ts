import type { NewestSecond } from '../../commands/kept-folds.js';
import { type CheckoutObservationData, isCompletedCheckout } from '../../events/checkout.events.js';
import type { DomainEvent } from '../../events/event-types.js';
import type { CustomerInvoiceObservationData, InvoiceObservationData } from '../../events/invoice.events.js';
import type { Metrics } from '../../observability/metrics.js';
import type { Question, Reconciler } from './reconciler.js';

export interface ReconciliationQueueOptions {
  /** `null`: there is no key, and nothing is asked. */
  readonly reconciler: Pick<Reconciler, 'look'> | null;
  /** The newest second of the stream of a subscription or a customer, as far as this process knows. */
  readonly newestSecond: (stream: Question['on']) => NewestSecond | null;
  readonly metrics: Pick<Metrics, 'stripeDoubt'>;
  /** Hears why a doubt about an object stays: what came instead of an answer (text), or what was thrown on our side. */
  readonly onUnsettled: (id: string, why: unknown) => void;
  /** Ends the requests under way. */
  readonly abort: () => void;
}

/** By what something was told: the key it counts once by, which is Stripe's event id, and Stripe's second (Unix). */
export interface Told {
  readonly key: string;
  readonly created: number;
}

/** A question in hand. */
interface Inquiry {
  question: Question;
  looks: number;
  /** Something more was told meanwhile. */
  again: boolean;
  timer: NodeJS.Timeout | null;
}

/** Objects in hand, waiting ones included; further ones are left as they are, and counted. */
const MAX_IN_HAND = 1_000;
const MAX_AT_ONCE = 4;
/** Looks at one object: until the second in doubt is over, by Stripe's clock too, or what was told is folded. */
const MAX_LOOKS = 6;

/**
 * The questions to Stripe that wait behind the replies (DESIGN 5.4): a delivery never waits for one. One at a time for an
 * object, a few at once in all. In memory only: a process that ends forgets those it had not asked, and the
 * next one finds them in the folded facts (`DoubtWalk`).
 */
export class ReconciliationQueue {
  readonly #inHand = new Map<string, Inquiry>();
  readonly #ready: Inquiry[] = [];
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(private readonly options: ReconciliationQueueOptions) {}

  /**
   * To be told what Stripe said, once it is in the log: by which event, or answer, and in which second. Finds cheaply what
   * may be in doubt; whether it is, the log says later. Never throws.
   */
  notice(event: DomainEvent, { key, created }: Told, correlationId: string): void {
    if (this.options.reconciler === null || this.#closed) return;
    if (event.type === 'CheckoutPaymentSucceeded') {
      this.#noticeSale(event.data, correlationId);
    } else if (isCompletedCheckout(event)) {
      const { subscription } = event.data;
      if (subscription !== null) this.ask({ ...ofSubscription(subscription), namedBy: key, correlationId });
      else this.#noticeSale(event.data, correlationId);
    } else if ('itemsTruncated' in event.data) {
      const { subscription, itemsTruncated } = event.data;
      const asked = ofSubscription(subscription);
      if (itemsTruncated || this.#isShared(asked.on, created)) {
        this.ask({ ...asked, namedBy: null, correlationId });
      }
    } else if (event.type === 'CustomerObserved') {
      const asked = ofCustomer(event.data.customer);
      if (this.#isShared(asked.on, created)) this.ask({ ...asked, namedBy: null, correlationId });
    } else if ('linesTruncated' in event.data && event.data.linesTruncated) {
      this.ask({ ...ofInvoice(event.data), namedBy: null, correlationId });
    } else {
      const payment = paymentWithoutInvoice(event);
      if (payment !== null) this.ask({ ...ofPayment(payment), namedBy: null, correlationId });
    }
  }

  /** What a session sold once is asked for where it was not told. */
  #noticeSale({ session, mode, lineItems }: CheckoutObservationData, correlationId: string): void {
    if (mode !== 'payment' || lineItems !== null) return;
    this.ask({ ...ofCheckout(session), namedBy: null, correlationId });
  }

  /** Whether a second (Unix) is the newest of a stream, and more than one event is of it. */
  #isShared(stream: Question['on'], second: number): boolean {
    const newest = this.options.newestSecond(stream);
    return newest !== null && newest.second === second && newest.events > 1;
  }

  /** Whether there is a key to ask with. */
  get asks(): boolean {
    return this.options.reconciler !== null;
  }

  /** Whether half of its places are free: what is told meanwhile has the others. */
  get hasRoom(): boolean {
    return this.#inHand.size < MAX_IN_HAND / 2;
  }

  /** Takes a question in hand. Never throws. */
  ask(question: Question): void {
    if (this.options.reconciler === null || this.#closed) return;
    const id = idOf(question);
    const known = this.#inHand.get(id);
    if (known !== undefined) {
      known.question = { ...known.question, namedBy: known.question.namedBy ?? question.namedBy };
      known.again = true;
    } else if (this.#inHand.size >= MAX_IN_HAND) {
      this.options.metrics.stripeDoubt('dropped');
    } else {
      const inquiry = { question, looks: 0, again: false, timer: null };
      this.#inHand.set(id, inquiry);
      this.#queue(inquiry);
    }
  }

  /** Forgets what waits and ends what is under way; comes back when none of it runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#inHand.values()) if (timer !== null) clearTimeout(timer);
    this.#ready.length = 0;
    this.options.abort();
    await Promise.all(this.#running);
  }

  #queue(inquiry: Inquiry): void {
    if (this.#closed) return;
    this.#ready.push(inquiry);
    this.#goOn();
  }

  #goOn(): void {
    while (this.#running.size < MAX_AT_ONCE) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      const run = this.#run(next).finally(() => {
        this.#running.delete(run);
        this.#goOn();
      });
      this.#running.add(run);
    }
  }

  async #run(inquiry: Inquiry): Promise<void> {
    inquiry.again = false;
    inquiry.looks += 1;
    const againInMs = await this.#look(inquiry);
    if (againInMs !== null) {
      if (this.#closed) return;
      inquiry.timer = setTimeout(() => {
        inquiry.timer = null;
        this.#queue(inquiry);
      }, againInMs);
    } else if (inquiry.again) {
      inquiry.looks = 0;
      this.#queue(inquiry);
    } else {
      this.#inHand.delete(idOf(inquiry.question));
    }
  }

  /** One look; milliseconds until the next, `null` when there need be none. */
  async #look({ question, looks }: Inquiry): Promise<number | null> {
    const { reconciler, metrics, onUnsettled } = this.options;
    if (reconciler === null) return null;
    try {
      const settlement = await reconciler.look(question);
      if (settlement.outcome === 'too_early' && looks < MAX_LOOKS) return settlement.againInMs;
      if (settlement.outcome === 'settled') metrics.stripeDoubt('settled');
      if (settlement.outcome === 'unanswered' || settlement.outcome === 'too_early') {
        metrics.stripeDoubt('unanswered');
        const why = settlement.outcome === 'unanswered' ? settlement.why : 'it stayed too early to ask';
        onUnsettled(question.about.id, why);
      }
    } catch (error) {
      metrics.stripeDoubt('failed');
      onUnsettled(question.about.id, error);
    }
    return null;
  }
}

type Asked = Pick<Question, 'about' | 'on'>;

function ofSubscription(id: string): Asked {
  return { about: { kind: 'subscription', id }, on: { category: 'subscription', id } };
}

function ofCheckout(id: string): Asked {
  return { about: { kind: 'checkout', id }, on: { category: 'checkout', id } };
}

function ofPayment(id: string): Asked {
  return { about: { kind: 'payment', id }, on: { category: 'payment', id } };
}

/** The payment of which something was refunded or disputed, where what told of that names no invoice; else `null`. */
function paymentWithoutInvoice(event: DomainEvent): string | null {
  switch (event.type) {
    case 'PaymentRefunded':
    case 'PaymentRefundFailed':
    case 'PaymentDisputed':
    case 'DisputeClosed':
      return event.data.invoice === null ? event.data.payment : null;
    case 'PaymentRetrieved': {
      const { object, invoice, payment } = event.data;
      return invoice === null && object !== 'early_fraud_warning' ? payment : null;
    }
    default:
      return null;
  }
}

function ofCustomer(id: string): Asked {
  return { about: { kind: 'customer', id }, on: { category: 'customer', id } };
}

/** An invoice is told of on the stream of its subscription, or of its customer. */
function ofInvoice(data: InvoiceObservationData | CustomerInvoiceObservationData): Asked {
  const about = { kind: 'invoice', id: data.invoice } as const;
  return 'subscription' in data
    ? { about, on: { category: 'subscription', id: data.subscription } }
    : { about, on: { category: 'customer', id: data.customer } };
}

function idOf({ about }: Question): string {
  return `${about.kind} ${about.id}`;
}
