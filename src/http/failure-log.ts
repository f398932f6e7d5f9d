import type { Logger } from '../observability/logger.js';
import type { ProblemCode, ProblemError, ToProblem } from './problem.js';

/** Nothing is heard of an outage for so long, in milliseconds: then it is over. */
const QUIET_MS = 15_000;

/** Told of by who looks after them, once when they begin and once when they end. */
const TOLD_ELSEWHERE: ReadonlySet<ProblemCode> = new Set(['log_replaced', 'clock_differs']);

/** A store that does not answer. `times` counts what met it; times are of the log's clock, in milliseconds. */
interface Outage {
  readonly since: number;
  last: number;
  times: number;
  timer: NodeJS.Timeout;
}

/**
 * What failed on our side, as the log has it: a line each, but for a store that does not answer. Of that one line tells when
 * it begins and one when it ends, with how much met it, however many requests and loops do.
 */
export class FailureLog {
  readonly #outages = new Map<string, Outage>();

  /** `stores` names the store that does not answer, by the problem that says so; `now` counts milliseconds, from whenever. */
  constructor(
    private readonly logger: Logger,
    private readonly toProblem: ToProblem,
    private readonly stores: Readonly<Partial<Record<ProblemCode, string>>>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A request was answered with `problem`, because of `err`. Refusals are the caller's, and not told. */
  request(problem: ProblemError, requestId: string, err: unknown): void {
    if (problem.status < 500 || TOLD_ELSEWHERE.has(problem.code)) return;
    if (this.#isOutage(problem.code, err)) return;
    this.logger.error({ requestId, code: problem.code, err }, 'request failed');
  }

  /** Something went wrong beside the requests, and is tried again: `message` says what. */
  trouble(message: string, err: unknown, details: object = {}): void {
    if (this.#isOutage(this.toProblem(err).code, err)) return;
    this.logger.warn({ ...details, err }, message);
  }

  #isOutage(code: ProblemCode, err: unknown): boolean {
    const store = this.stores[code];
    if (store === undefined) return false;
    const now = this.now();
    const known = this.#outages.get(store);
    if (known === undefined) {
      this.logger.error({ store, err }, 'a store does not answer');
      this.#outages.set(store, { since: now, last: now, times: 1, timer: this.#whenQuiet(store) });
    } else {
      clearTimeout(known.timer);
      Object.assign(known, { last: now, times: known.times + 1, timer: this.#whenQuiet(store) });
    }
    return true;
  }

  #whenQuiet(store: string): NodeJS.Timeout {
    return setTimeout(() => {
      const outage = this.#outages.get(store);
      if (outage === undefined) return;
      this.#outages.delete(store);
      const { since, last, times } = outage;
      this.logger.info(
        { store, times, seconds: Math.ceil((last - since) / 1_000) },
        'the store answers again',
      );
    }, QUIET_MS).unref();
  }
}
