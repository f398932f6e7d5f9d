import type { ProjectionEngine } from '../projections/engine/projection-engine.js';
import type { OpsReader } from '../projections/entitlements/ops.reader.js';

const MAX_WAIT_MS = 2_000;
const MAX_WAITING = 200;
const MAX_LAG_SECONDS = 2;
/** The subscription's own event may come from another delivery: look again this often. */
const LOOK_EVERY_MS = 50;

/** How a wait for a paid checkout ended. */
export type CheckoutWaitOutcome = 'seen' | 'timed_out' | 'not_waited';

/**
 * Holds the reply to a paid checkout until the read model shows its subscription (DESIGN 5.5): Stripe holds the
 * buyer's redirect until the reply. A waiter holds no connection; none waits while the projection cannot catch up.
 */
export class CheckoutWait {
  #waiting = 0;

  constructor(
    private readonly engine: ProjectionEngine,
    private readonly ops: OpsReader,
  ) {}

  async until(subscription: string): Promise<CheckoutWaitOutcome> {
    if (this.#waiting >= MAX_WAITING || !this.#mayCatchUp()) return 'not_waited';
    this.#waiting += 1;
    try {
      const deadline = Date.now() + MAX_WAIT_MS;
      for (;;) {
        if (await this.ops.isSubscriptionActive(subscription)) return 'seen';
        if (Date.now() >= deadline || !this.#mayCatchUp()) return 'timed_out';
        await this.engine.nextChange(LOOK_EVERY_MS);
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  #mayCatchUp(): boolean {
    const { state, lagSeconds } = this.engine.status();
    return (state === 'leading' || state === 'standby') && lagSeconds < MAX_LAG_SECONDS;
  }
}
