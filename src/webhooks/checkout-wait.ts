import { isCompletedCheckout } from '../events/checkout.events.js';
import type { DomainEvent } from '../events/event-types.js';
import { comparePositions, type Position } from '../events/stored-event.js';
import type { Projection } from '../projections/engine/projection.js';
import type { OpsReader } from '../projections/read-models/ops.reader.js';

const MAX_WAIT_MS = 2_000;
const MAX_WAITING = 200;
const MAX_LAG_SECONDS = 2;
/** The subscription's own event may come from another delivery: look again this often. */
const LOOK_EVERY_MS = 50;

const NONE: ReadonlySet<string> = new Set();

/** How a wait for a paid checkout ended. */
export type CheckoutWaitOutcome = 'seen' | 'timed_out' | 'not_waited';

/** What a checkout waits for: its own event folded, and its subscription active, or known what its session sold. */
export interface AwaitedCheckout {
  readonly subscription: string | null;
  /** The session of which is to be known what it sold once. */
  readonly sale: string | null;
  /** Of the checkout's event; `null` where it is not known. */
  readonly position: Position | null;
}

/** States of a session's payment in which the buyer owes nothing now (Stripe: Checkout Session `payment_status`). */
const SETTLED: ReadonlySet<string | null> = new Set(['paid', 'no_payment_required']);

/** What the reply to an event waits for; `null` of all but a paid checkout. Where nobody `asks` Stripe, not for what it sold. */
export function awaitedBy(event: DomainEvent, asks: boolean): Omit<AwaitedCheckout, 'position'> | null {
  if (!isCompletedCheckout(event)) return null;
  const { subscription, session, mode, paymentStatus } = event.data;
  const isPurchase = mode === 'payment';
  if ((subscription === null && !isPurchase) || !SETTLED.has(paymentStatus)) return null;
  return { subscription, sale: isPurchase && asks ? session : null };
}

interface Waiter extends AwaitedCheckout {
  end(outcome: CheckoutWaitOutcome): void;
}

/**
 * Holds the reply to a paid checkout until the read model shows its subscription, or its purchase (DESIGN 5.5), and the checkout
 * that says whose it is: Stripe holds the buyer's redirect until the reply. One question is asked for all who wait, so a waiter holds no connection and no
 * place in a queue; none waits while the projection cannot catch up.
 */
export class CheckoutWait {
  readonly #waiters = new Set<Waiter>();
  #looking = false;

  constructor(
    private readonly engine: Pick<Projection, 'status' | 'nextChange'>,
    private readonly ops: Pick<OpsReader, 'activeSubscriptions' | 'knownSales'>,
  ) {}

  /** Never rejects: the delivery is durable already, whatever becomes of the wait. */
  until(awaited: AwaitedCheckout): Promise<CheckoutWaitOutcome> {
    if (this.#waiters.size >= MAX_WAITING || !this.#mayCatchUp()) return Promise.resolve('not_waited');
    return new Promise((resolve) => {
      const waiter: Waiter = {
        ...awaited,
        end: (outcome) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(outcome);
        },
      };
      const timer = setTimeout(() => waiter.end('timed_out'), MAX_WAIT_MS);
      this.#waiters.add(waiter);
      if (!this.#looking) void this.#look();
    });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#waiters.size > 0) {
      const { handled } = this.engine.status();
      const [active, sales] = await Promise.all([this.#active(), this.#known()]);
      for (const waiter of [...this.#waiters]) {
        const { subscription, sale } = waiter;
        const isSeen =
          (subscription === null || active.has(subscription)) && (sale === null || sales.has(sale));
        if (isSeen && isFolded(waiter.position, handled)) waiter.end('seen');
        else if (!this.#mayCatchUp()) waiter.end('timed_out');
      }
      if (this.#waiters.size > 0) await this.engine.nextChange(LOOK_EVERY_MS);
    }
    this.#looking = false;
  }

  /** A read model that cannot be asked now shows nothing; the waiters' own time is short. */
  async #active(): Promise<ReadonlySet<string>> {
    const asked = [...new Set([...this.#waiters].flatMap(({ subscription }) => subscription ?? []))];
    if (asked.length === 0) return NONE;
    return this.ops.activeSubscriptions(asked).catch(() => NONE);
  }

  async #known(): Promise<ReadonlySet<string>> {
    const asked = [...new Set([...this.#waiters].flatMap(({ sale }) => sale ?? []))];
    if (asked.length === 0) return NONE;
    return this.ops.knownSales(asked).catch(() => NONE);
  }

  #mayCatchUp(): boolean {
    const { state, lagSeconds } = this.engine.status();
    return (state === 'leading' || state === 'standby') && lagSeconds < MAX_LAG_SECONDS;
  }
}

function isFolded(position: Position | null, handled: Position | null): boolean {
  return position === null || (handled !== null && comparePositions(handled, position) >= 0);
}
