import { ImportUnderWayError } from './errors.js';
import type { ImportJob } from './import-jobs.js';
import type { AskedImport, Importer } from './importer.js';

export interface ImportRunnerOptions {
  /** `null`: there is no key, and nothing can be imported. */
  readonly importerUntil: ((signal: AbortSignal) => Importer) | null;
  /** Hears why an import stands still; it is gone on with later. */
  readonly onTrouble: (error: unknown) => void;
}

/** Looks for an import to go on with, in milliseconds: one that another instance ran and left, or that Stripe held up. */
const LOOK_EVERY_MS = 30_000;

/**
 * Runs imports beside the service: the one that is not over, whoever began it, on one instance at a time. Stopped or killed,
 * the next instance that looks goes on with it.
 */
export class ImportRunner {
  readonly #stopping = new AbortController();
  readonly #importer: Importer | null;
  #timer: NodeJS.Timeout | null = null;
  #task: Promise<void> | null = null;

  constructor(private readonly options: ImportRunnerOptions) {
    this.#importer = options.importerUntil?.(this.#stopping.signal) ?? null;
  }

  /** Begins to look for imports. */
  start(): void {
    if (this.#importer === null) return;
    this.#timer = setInterval(() => this.#goOn(), LOOK_EVERY_MS).unref();
    this.#goOn();
  }

  /** Begins an import of this id, or finds it; `null` where there is no key. @throws ImportUnderWayError where another is not over */
  async begin(id: string, asked: AskedImport): Promise<ImportJob | null> {
    if (this.#importer === null) return null;
    const job = await this.#importer.begin(id, asked);
    this.#goOn();
    return job;
  }

  /** The import that is not over, or else the last one; `null` when there was none, or there is no key. */
  async latest(): Promise<ImportJob | null> {
    return this.#importer?.latest() ?? null;
  }

  /** Ends what is under way between two steps. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#task;
  }

  #goOn(): void {
    const importer = this.#importer;
    if (importer === null || this.#task !== null || this.#stopping.signal.aborted) return;
    this.#task = importer
      .resume()
      .then(
        () => undefined,
        (error: unknown) => {
          // Another instance runs it, or this one is to stop.
          if (error instanceof ImportUnderWayError || this.#stopping.signal.aborted) return;
          this.options.onTrouble(error);
        },
      )
      .finally(() => {
        this.#task = null;
      });
  }
}
