import { setTimeout as pause } from 'node:timers/promises';

/** What is begun by a start and ended by a stop, and how long the end may take, in milliseconds. */
export interface Step {
  readonly name: string;
  readonly withinMs: number;
  /** However late it is by then, it has this long. */
  readonly atLeastMs?: number;
  /** How long a start that is given up waits for what it was just opening, so that it can be ended. */
  readonly openWithinMs?: number;
}

/** Milliseconds after which every step has only what it must have: a stop ends within 20 s. */
const HURRY_AFTER_MS = 12_000;
const HURRIED_MS = 500;

/**
 * What is up and how it is ended: the last that was begun is the first to end. A step that hangs, or fails, is left to
 * itself and told of, and the next one follows: nothing that hangs keeps a service from stopping.
 */
export class StopOrder {
  readonly #steps: { readonly step: Step; readonly end: () => Promise<unknown> }[] = [];
  #run: Promise<readonly string[]> | null = null;

  /** `onAbandoned` hears which step did not end, and why. */
  constructor(private readonly onAbandoned: (step: string, why: Error) => void) {}

  add(step: Step, end: () => Promise<unknown>): void {
    this.#steps.push({ step, end });
  }

  /** Ends everything that was added. Answers the names of what was abandoned; the same again when it is asked again. */
  run(): Promise<readonly string[]> {
    this.#run ??= this.#endAll();
    return this.#run;
  }

  async #endAll(): Promise<readonly string[]> {
    const abandoned: string[] = [];
    const began = performance.now();
    for (let next = this.#steps.pop(); next !== undefined; next = this.#steps.pop()) {
      const { step, end } = next;
      const left = HURRY_AFTER_MS - (performance.now() - began);
      const withinMs = Math.max(step.atLeastMs ?? HURRIED_MS, Math.min(step.withinMs, left));
      const why = await failureOf(end, withinMs);
      if (why === null) continue;
      abandoned.push(step.name);
      this.onAbandoned(step.name, why);
    }
    return abandoned;
  }
}

/** Why something did not end in time; `null` where it did. */
async function failureOf(end: () => Promise<unknown>, withinMs: number): Promise<Error | null> {
  const watch = new AbortController();
  const late = pause(withinMs, new Error(`it did not end within ${Math.round(withinMs)} ms`), {
    signal: watch.signal,
  }).catch(() => null);
  const ended = Promise.resolve()
    .then(end)
    .then(
      () => null,
      (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  const why = await Promise.race([ended, late]);
  watch.abort();
  return why;
}

/** A start was given up because the service is to stop; what was up has been ended. */
export class StartStoppedError extends Error {
  override readonly name = 'StartStoppedError';
  /** @param abandoned what did not end */
  constructor(readonly abandoned: readonly string[]) {
    super('stopped while it was starting');
  }
}

/** The steps of a start, each of which is given up the moment the service is to stop. */
export class StartSteps {
  readonly #stopped: Promise<never>;

  constructor(
    private readonly stops: StopOrder,
    signal: AbortSignal,
  ) {
    this.#stopped = new Promise((_, reject) => {
      if (signal.aborted) reject(new StartStoppedError([]));
      signal.addEventListener('abort', () => reject(new StartStoppedError([])), { once: true });
    });
    this.#stopped.catch(() => undefined); // told by the step at hand
  }

  /** Waits for a step, unless the service is to stop. @throws StartStoppedError */
  async take<T>(step: Promise<T>): Promise<T> {
    return Promise.race([step, this.#stopped]);
  }

  /** The same for what must be ended again: also where the start is given up before it is open. */
  async open<T>(step: Step, opening: Promise<T>, end: (opened: T) => Promise<unknown>): Promise<T> {
    const endIt = async (): Promise<void> => {
      const late = pause(step.openWithinMs ?? OPEN_WITHIN_MS, null, { ref: false });
      const outcome = await Promise.race([Promise.allSettled([opening]), late]);
      // What is not up, or not yet, needs no end but that of the process.
      if (outcome?.[0].status === 'fulfilled') await end(outcome[0].value);
    };
    this.stops.add(step, endIt);
    return this.take(opening);
  }
}

/** The `openWithinMs` of a step that says none. */
const OPEN_WITHIN_MS = 1_000;
