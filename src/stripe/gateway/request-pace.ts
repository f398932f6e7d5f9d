/** The stretch of time that a limit holds for, in milliseconds. */
const WINDOW_MS = 1_000;

/**
 * A limit of so many requests within any second (Stripe: "Rate limits"). A place is reserved at once and holds from an
 * instant that lies ahead when the second is full, so requests go out in the order in which they asked.
 */
export class RequestPace {
  /** Instants of the last `perSecond` requests (ms of the monotonic clock), reserved ones included, in a ring. */
  readonly #instants: number[] = [];
  #next = 0;

  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Milliseconds until one more request may go out. */
  get wait(): number {
    const oldest = this.#instants[this.#next];
    return oldest === undefined ? 0 : Math.max(0, oldest + WINDOW_MS - this.now());
  }

  /** Takes the place that is free in `afterMs`, which is at least `wait`. */
  reserve(afterMs: number): void {
    this.#instants[this.#next] = this.now() + afterMs;
    this.#next = (this.#next + 1) % this.perSecond;
  }
}

/** Endpoints beside each other may take so many times what one may (Stripe: 100 and 25 a second in live mode). */
const LIVE_ENDPOINTS = 4;

export interface RequestBudgetOptions {
  /** Requests a second to one endpoint. */
  readonly perSecond: number;
  readonly livemode: boolean;
  readonly now?: () => number;
}

/**
 * What one instance may ask of Stripe's API: so much a second of each endpoint, and of all of them four times as much in
 * live mode, as much in test mode.
 */
export class RequestBudget {
  readonly #all: RequestPace;
  readonly #endpoints = new Map<string, RequestPace>();

  constructor(private readonly options: RequestBudgetOptions) {
    const { perSecond, livemode, now } = options;
    this.#all = new RequestPace(livemode ? perSecond * LIVE_ENDPOINTS : perSecond, now);
  }

  /**
   * Reserves a place for a request to an endpoint (`subscriptions`) that is free within `patienceMs`.
   * @returns milliseconds until it is; where none is free in time how long that takes, and nothing is reserved
   */
  take(endpoint: string, patienceMs: number): { readonly taken: boolean; readonly waitMs: number } {
    const pace = this.#paceOf(endpoint);
    const waitMs = Math.max(pace.wait, this.#all.wait);
    if (waitMs > patienceMs) return { taken: false, waitMs };
    pace.reserve(waitMs);
    this.#all.reserve(waitMs);
    return { taken: true, waitMs };
  }

  #paceOf(endpoint: string): RequestPace {
    const known = this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    const { perSecond, now } = this.options;
    const pace = new RequestPace(perSecond, now);
    this.#endpoints.set(endpoint, pace);
    return pace;
  }
}
