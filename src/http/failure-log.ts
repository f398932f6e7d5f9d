import { inTime } from '../observability/in-time.js';
import type { Logger } from '../observability/logger.js';
import type { ProblemCode, ProblemError, ToProblem } from './problem.js';

/**
 * Milliseconds between two looks at a store that does not answer. An outage is over when a look is answered and nothing has
 * failed since the look before: a store that answers some and fails others has not come back.
 */
const LOOK_EVERY_MS = 5_000;
const LOOK_WITHIN_MS = 2_000;

/** Failures that are told of by who looks after them, and not for every request. */
const TOLD_ELSEWHERE: ReadonlySet<ProblemCode> = new Set([
  'log_replaced',
  'clock_differs',
  'thin_events_need_api_key',
  'stripe_unavailable',
  'user_keys_unavailable',
]);

/** A store that does not answer. `times` counts what met it; times are of the log's clock, in milliseconds. */
interface Outage {
  readonly since: number;
  last: number;
  times: number;
}

/**
 * What failed on our side, as the log has it: a line each, but for a store that does not answer. Of that one line tells when
 * it begins and one when it ends, with how much met it, however many requests and loops do.
 */
export class FailureLog {
  readonly #outages = new Map<string, Outage>();
  readonly #questions = new Map<string, () => Promise<unknown>>();

  /** `stores` names the store that does not answer, by the problem that says so; `now` counts milliseconds, from whenever. */
  constructor(
    private readonly logger: Logger,
    private readonly toProblem: ToProblem,
    private readonly stores: Readonly<Partial<Record<ProblemCode, string>>>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes how to ask the store of a problem whether it answers: done only while it is known not to, and ends the outage. */
  askWith(code: ProblemCode, question: () => Promise<unknown>): void {
    const store = this.stores[code];
    if (store !== undefined) this.#questions.set(store, question);
  }

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
      this.#outages.set(store, { since: now, last: now, times: 1 });
      this.#lookLater(store);
    } else {
      known.last = now;
      known.times += 1;
    }
    return true;
  }

  #lookLater(store: string): void {
    setTimeout(() => void this.#look(store), LOOK_EVERY_MS).unref();
  }

  async #look(store: string): Promise<void> {
    const answered = await this.#answers(store);
    const outage = this.#outages.get(store);
    if (outage === undefined) return;
    const { since, last, times } = outage;
    if (!answered || this.now() - last < LOOK_EVERY_MS) return this.#lookLater(store);
    this.#outages.delete(store);
    this.logger.info({ store, times, seconds: Math.ceil((last - since) / 1_000) }, 'the store answers again');
  }

  async #answers(store: string): Promise<boolean> {
    const question = this.#questions.get(store);
    if (question === undefined) return false;
    const asked = question().then(() => 'answered');
    return (await inTime(asked, LOOK_WITHIN_MS)) !== null;
  }
}
