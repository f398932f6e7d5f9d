import { createHmac } from 'node:crypto';
import type { Account } from '../account.js';
import { type EventRow, snapshotEvent, thinEvent } from '../events.js';
import { type Destination, listensTo } from './destinations.js';
import { type Faults, NO_FAULTS } from './faults.js';

/** Seconds (of the clock) after which a delivery that failed is tried again (Stripe: up to three days, with back-off). */
const BACK_OFF = [60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200];
/** Deliveries to one destination that are under way at once. */
const AT_ONCE = 20;
/** Real milliseconds that an endpoint has to answer. */
const TIMEOUT_MS = 30_000;

/** How one delivery ended: an HTTP status, or that there was no answer. */
export interface DeliveryAttempt {
  readonly event: string;
  readonly type: string;
  readonly destination: string;
  readonly status: number | null;
}

interface Delivery {
  readonly row: EventRow;
  readonly to: Destination;
  readonly attempt: number;
}

/**
 * Posts events to those who listen, signed as of the real present. Posting is real; what waits, waits by the clock of the
 * simulation. `settled` says when nothing is under way.
 */
export class Webhooks {
  readonly destinations = new Map<string, Destination>();
  /** The last attempts, newest last; a thousand at most. */
  readonly attempts: DeliveryAttempt[] = [];
  faults: Faults = NO_FAULTS;
  readonly #queue: Delivery[] = [];
  readonly #heldBack: Delivery[] = [];
  readonly #waiters: (() => void)[] = [];
  readonly #closing = new AbortController();
  #underWay = 0;

  constructor(private readonly account: Account) {
    account.events.listen((row) => this.#spread(row));
  }

  /** Resolves when every delivery that is due has been tried; those that wait for a later second of the clock do not count. */
  async settled(): Promise<void> {
    this.#release();
    if (this.#underWay === 0 && this.#queue.length === 0) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Posts an event again, whatever became of it; to every destination that listens. */
  resend(row: EventRow): void {
    for (const to of this.destinations.values())
      if (listensTo(to, row)) this.#enqueue({ row, to, attempt: 0 });
  }

  /** Ends what is under way, and posts nothing more. */
  close(): void {
    this.#queue.length = 0;
    this.#closing.abort();
  }

  #spread(row: EventRow): void {
    const listening = [...this.destinations.values()].filter((to) => listensTo(to, row));
    if (listening.length === 0) return;
    this.#note(row.id, { endpoints: listening.length, pending: listening.length, failed: false });
    for (const to of listening) this.#send({ row, to, attempt: 0 });
  }

  /** A first delivery, with what is to go wrong with it. */
  #send(delivery: Delivery): void {
    const { ids } = this.account;
    const { types, drop, duplicate, delay, delay_seconds, reorder } = this.faults;
    const isMeant = types === undefined || types.includes(delivery.row.type);
    if (isMeant && drop > 0 && ids.random() < drop) {
      this.#taken(delivery);
      return;
    }
    if (isMeant && duplicate > 0 && ids.random() < duplicate) this.#enqueue(delivery);
    if (isMeant && delay > 0 && ids.random() < delay) {
      const seconds = 1 + Math.floor(ids.random() * delay_seconds);
      this.account.clock.at(this.account.clock.now + seconds, () => this.#enqueue(delivery));
      return;
    }
    if (!isMeant || reorder === 1) {
      this.#enqueue(delivery);
      return;
    }
    this.#heldBack.push(delivery);
    if (this.#heldBack.length >= reorder) this.#release();
  }

  /** Posts what was kept back, in another order. */
  #release(): void {
    for (let left = this.#heldBack.length; left > 0; left -= 1) {
      const [delivery] = this.#heldBack.splice(Math.floor(this.account.ids.random() * left), 1);
      if (delivery !== undefined) this.#enqueue(delivery);
    }
  }

  #enqueue(delivery: Delivery): void {
    if (this.#closing.signal.aborted) return;
    this.#queue.push(delivery);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#underWay >= AT_ONCE) return;
    this.#underWay += 1;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      await this.#post(next);
    this.#underWay -= 1;
    if (this.#underWay === 0 && this.#queue.length === 0) for (const wake of this.#waiters.splice(0)) wake();
  }

  async #post(delivery: Delivery): Promise<void> {
    const { row, to, attempt } = delivery;
    const current = this.account.events.rows.find(row.id) ?? row;
    const body = JSON.stringify(to.payload === 'thin' ? thinEvent(current) : snapshotEvent(current));
    const status = await this.#status(to, body);
    this.attempts.push({ event: row.id, type: row.type, destination: to.id, status });
    if (this.attempts.length > 1_000) this.attempts.shift();
    if (status !== null && status >= 200 && status < 300) return this.#taken(delivery);
    const wait = BACK_OFF[attempt];
    if (wait === undefined) {
      const { deliveries } = this.account.events.rows.find(row.id) ?? row;
      return this.#note(row.id, {
        ...deliveries,
        pending: Math.max(0, deliveries.pending - 1),
        failed: true,
      });
    }
    const again = { row, to, attempt: attempt + 1 };
    this.account.clock.at(this.account.clock.now + wait, () => this.#enqueue(again));
  }

  async #status({ url, secret }: Destination, body: string): Promise<number | null> {
    const second = Math.floor(Date.now() / 1_000);
    const mac = createHmac('sha256', secret).update(`${second}.${body}`).digest('hex');
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': `t=${second},v1=${mac}`,
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        },
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      // Nobody there, no answer in time, or the end of the simulator: a delivery that failed, to be tried again.
      return null;
    }
  }

  #taken({ row }: Delivery): void {
    const deliveries = this.account.events.rows.find(row.id)?.deliveries;
    if (deliveries !== undefined)
      this.#note(row.id, { ...deliveries, pending: Math.max(0, deliveries.pending - 1) });
  }

  #note(id: string, deliveries: EventRow['deliveries']): void {
    const row = this.account.events.rows.find(id);
    if (row !== undefined) this.account.events.rows.put({ ...row, deliveries });
  }
}
