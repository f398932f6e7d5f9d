import { randomUUID } from 'node:crypto';
import { ReconciliationUnderWayError } from './errors.js';
import type { Reconciliation } from './reconciliation.js';
import type { AskedReconciliation, ReconciliationJob } from './reconciliation-jobs.js';

export interface ReconciliationRunnerOptions {
  /** `null`: there is no key, and nothing can be reconciled. */
  readonly reconciliationUntil: ((signal: AbortSignal) => Reconciliation) | null;
  /** Hours between two that nobody asked for; 0: only what is asked for. */
  readonly everyHours: number;
  /** Hears why one stands still; it is gone on with later. */
  readonly onTrouble: (error: unknown) => void;
}

/** Looks for one to begin or to go on with, in milliseconds. */
const LOOK_EVERY_MS = 30_000;
const SCHEDULED: AskedReconciliation = { afterwards: 'record', gone: 'list', actor: 'schedule' };

/**
 * Runs reconciliations beside the service, on one instance at a time: the one that is not over, whoever began it, and one
 * whenever it is due.
 */
export class ReconciliationRunner {
  readonly #stopping = new AbortController();
  readonly #reconciliation: Reconciliation | null;
  #timer: NodeJS.Timeout | null = null;
  #task: Promise<void> | null = null;

  constructor(private readonly options: ReconciliationRunnerOptions) {
    this.#reconciliation = options.reconciliationUntil?.(this.#stopping.signal) ?? null;
  }

  /** Begins to look. */
  start(): void {
    if (this.#reconciliation === null) return;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    this.look();
  }

  /** Looks now: goes on with one that is not over, or begins one that is due. */
  look(): void {
    const reconciliation = this.#reconciliation;
    if (reconciliation === null || this.#task !== null || this.#stopping.signal.aborted) return;
    this.#task = this.#run(reconciliation)
      .catch((error: unknown) => {
        // Another instance runs it, or this one is to stop.
        if (error instanceof ReconciliationUnderWayError || this.#stopping.signal.aborted) return;
        this.options.onTrouble(error);
      })
      .finally(() => {
        this.#task = null;
      });
  }

  /** Begins one of this id, or finds it; `null` where there is no key. @throws ReconciliationUnderWayError where another is not over */
  async begin(id: string, asked: AskedReconciliation): Promise<ReconciliationJob | null> {
    if (this.#reconciliation === null) return null;
    const job = await this.#reconciliation.jobs.begin(id, asked);
    this.look();
    return job;
  }

  /** `null` where there is none of this id, or no key. */
  async find(id: string): Promise<ReconciliationJob | null> {
    return this.#reconciliation?.jobs.find(id) ?? null;
  }

  /** Ends what is under way between two steps. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#task;
  }

  async #run(reconciliation: Reconciliation): Promise<void> {
    const { everyHours } = this.options;
    if (everyHours > 0 && (await reconciliation.jobs.isDue(everyHours))) {
      await reconciliation.jobs.begin(randomUUID(), SCHEDULED);
    }
    await reconciliation.resume();
  }
}
