import { setTimeout as pause } from 'node:timers/promises';
import { isCompletedCheckout } from '../../events/checkout.events.js';
import { CUSTOMER_INVOICE_EVENT_TYPES } from '../../events/invoice.events.js';
import type { InvoiceObservation } from '../../policy/facts.js';
import type { DoubtReader, WalkPart } from '../../projections/read-models/doubt.reader.js';
import type { Question } from './reconciler.js';
import type { ReconciliationQueue } from './reconciliation-queue.js';

export interface DoubtWalkOptions {
  readonly reader: Pick<
    DoubtReader,
    'suspects' | 'claimedTwice' | 'unseen' | 'unknownSales' | 'unjoinedPayments'
  >;
  readonly queue: Pick<ReconciliationQueue, 'ask' | 'hasRoom' | 'asks'>;
  /** Whether all of the log is folded. */
  readonly isLevel: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/** Rows of one statement. */
const SLICE = 500;
/** Milliseconds between two statements, and between looks for room among the questions: others have the database between. */
const PAUSE_MS = 50;
const CORRELATION = 'start';

/**
 * Takes in hand what was in doubt when a process ended (DESIGN 5.4): once, after the start, it walks through the folded facts
 * a slice at a time and asks about what may be in doubt. The log decides whether it is.
 */
export class DoubtWalk {
  readonly #stopping = new AbortController();
  #task: Promise<void> | null = null;

  constructor(private readonly options: DoubtWalkOptions) {}

  /** Begins the walk; without a key nobody could be asked. */
  start(): void {
    if (!this.options.queue.asks) return;
    this.#task = this.#walk().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.options.onTrouble(error);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#task;
  }

  async #walk(): Promise<void> {
    const { reader, isLevel } = this.options;
    while (!isLevel()) await this.#pause();
    await this.#through(
      (after) => reader.suspects(after, SLICE),
      ({ subscription, isInDoubt, invoices }) => [
        ...(isInDoubt ? [ofSubscription(subscription, null)] : []),
        ...invoices.map((invoice) => ofInvoice(subscription, invoice)),
      ],
    );
    await this.#through(
      (after) => reader.claimedTwice(after, SLICE),
      (customer) => [ofCustomer(customer)],
    );
    await this.#through(
      (after) => reader.unseen(after, SLICE),
      ({ subscription, checkouts }) => {
        const naming = checkouts.find((checkout) => isCompletedCheckout(checkout));
        return naming === undefined ? [] : [ofSubscription(subscription, naming.eventId)];
      },
    );
    await this.#through(
      (after) => reader.unknownSales(after, SLICE),
      (session) => [ofCheckout(session)],
    );
    await this.#through(
      (after) => reader.unjoinedPayments(after, SLICE),
      (payment) => [ofPayment(payment)],
    );
  }

  async #through<T>(
    read: (after: string) => Promise<WalkPart<T>>,
    questionsOf: (found: T) => readonly Question[],
  ): Promise<void> {
    for (let after: string | null = ''; after !== null; ) {
      const part: WalkPart<T> = await read(after);
      for (const question of part.found.flatMap(questionsOf)) {
        while (!this.options.queue.hasRoom) await this.#pause();
        this.options.queue.ask(question);
      }
      after = part.next;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return pause(PAUSE_MS, undefined, { signal: this.#stopping.signal });
  }
}

function ofSubscription(id: string, namedBy: string | null): Question {
  const about = { kind: 'subscription', id } as const;
  return { about, on: { category: 'subscription', id }, namedBy, correlationId: CORRELATION };
}

function ofCustomer(id: string): Question {
  const about = { kind: 'customer', id } as const;
  return { about, on: { category: 'customer', id }, namedBy: null, correlationId: CORRELATION };
}

function ofCheckout(id: string): Question {
  const about = { kind: 'checkout', id } as const;
  return { about, on: { category: 'checkout', id }, namedBy: null, correlationId: CORRELATION };
}

function ofPayment(id: string): Question {
  const about = { kind: 'payment', id } as const;
  return { about, on: { category: 'payment', id }, namedBy: null, correlationId: CORRELATION };
}

const OF_CUSTOMER: ReadonlySet<string> = new Set(CUSTOMER_INVOICE_EVENT_TYPES);

function ofInvoice(subscription: string, { type, data }: InvoiceObservation): Question {
  const about = { kind: 'invoice', id: data.invoice } as const;
  const on =
    OF_CUSTOMER.has(type) && data.customer !== null
      ? ({ category: 'customer', id: data.customer } as const)
      : ({ category: 'subscription', id: subscription } as const);
  return { about, on, namedBy: null, correlationId: CORRELATION };
}
