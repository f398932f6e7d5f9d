import { EventStoreUnavailableError, OutcomeUnknownError } from '../errors.js';
import type { AppendResult } from '../event-store.js';
import type { Append } from './append-statement.js';
import type { AppendOutcome } from './append-writer.js';
import { asError } from './pg-session.js';

/** How appends are gathered into statements, and how long (ms) a caller waits at most. */
export interface QueueLimits {
  readonly statementsInFlight: number;
  readonly appendsPerStatement: number;
  /** Weight after which a statement takes no further append. */
  readonly weightPerStatement: number;
  readonly callMs: number;
}

/** Share of the callers of the last statement that the next one waits for, and for how long at most. */
const ENOUGH_CALLERS = 0.8;
const GATHER_MS = 2;

interface Waiting {
  readonly append: Append;
  readonly timer: NodeJS.Timeout;
  readonly settle: (outcome: AppendOutcome) => void;
  sent: boolean;
}

/**
 * Gathers the appends of concurrent callers into few statements. Appends to one stream are sent in the order they came,
 * one statement after the other; different streams share a statement. A caller gets its answer, or an error that says
 * whether the append can have landed, within `callMs`.
 */
export class AppendQueue {
  /** Streams that wait, in order of arrival, and those with an append under way. */
  private readonly ready = new Map<string, Waiting[]>();
  private readonly busy = new Map<string, Waiting[]>();
  private inFlight = 0;
  /** Callers at the end of the last statement: those it answered, and those that came meanwhile. */
  private callers = 0;
  private gatherUntil = 0;
  private scheduled = false;
  private closed = false;
  private onIdle: (() => void) | undefined;

  constructor(
    private readonly write: (batch: readonly Append[]) => Promise<readonly AppendOutcome[]>,
    private readonly limits: QueueLimits,
  ) {}

  /** Resolves when the append has committed. */
  add(append: Append): Promise<AppendResult> {
    if (this.closed) return Promise.reject(new EventStoreUnavailableError('the event store is closed'));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        append,
        sent: false,
        timer: setTimeout(() => this.expire(waiting), this.limits.callMs),
        settle: (outcome) => {
          clearTimeout(waiting.timer);
          if (outcome.kind === 'done') resolve(outcome.result);
          else reject(outcome.error);
        },
      };
      const line = this.busy.get(append.stream) ?? this.ready.get(append.stream);
      if (line === undefined) this.ready.set(append.stream, [waiting]);
      else line.push(waiting);
      this.schedule();
    });
  }

  /** Takes no more appends and resolves when those taken are settled. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.inFlight === 0 && this.ready.size === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  /**
   * Waits for the end of the event loop's turn, so that all callers it wakes share a statement; and a little longer
   * while most of the last statement's callers are still on their way back: each statement costs a flush, however few
   * it carries. A single caller never waits.
   */
  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.limits.statementsInFlight || this.ready.size === 0) return;
    this.scheduled = true;
    setImmediate(() => this.sendWhenGathered());
  }

  private sendWhenGathered(): void {
    if (this.ready.size < this.callers * ENOUGH_CALLERS && performance.now() < this.gatherUntil) {
      setTimeout(() => this.sendWhenGathered(), 1);
      return;
    }
    this.scheduled = false;
    while (this.inFlight < this.limits.statementsInFlight && this.ready.size > 0) void this.send();
  }

  /** Sends one statement; what goes wrong is the outcome of its appends, so this never rejects. */
  private async send(): Promise<void> {
    const batch = this.takeBatch();
    this.inFlight += 1;
    const outcomes = await this.write(batch.map((waiting) => waiting.append)).catch((thrown: unknown) => {
      const error = asError(thrown);
      return batch.map((): AppendOutcome => ({ kind: 'failed', error }));
    });
    this.inFlight -= 1;
    this.callers = batch.length + this.ready.size;
    this.gatherUntil = performance.now() + GATHER_MS;
    for (const [index, waiting] of batch.entries()) {
      this.release(waiting.append.stream);
      const outcome = outcomes[index];
      waiting.settle(outcome ?? { kind: 'failed', error: new Error('an append got no outcome') });
    }
    this.schedule();
    this.tellWhenIdle();
  }

  /** Ends a close that waits, once nothing is left that it waits for. */
  private tellWhenIdle(): void {
    if (this.inFlight === 0 && this.ready.size === 0) this.onIdle?.();
  }

  /** The first append of each stream that waits longest, within the size of a statement. */
  private takeBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    let weight = 0;
    for (const [stream, line] of this.ready) {
      const first = line[0];
      if (first === undefined) continue;
      weight += first.append.weight;
      if (batch.length > 0 && weight > this.limits.weightPerStatement) break;
      line.shift();
      first.sent = true;
      this.ready.delete(stream);
      this.busy.set(stream, line);
      batch.push(first);
      if (batch.length >= this.limits.appendsPerStatement) break;
    }
    return batch;
  }

  private release(stream: string): void {
    const line = this.busy.get(stream);
    this.busy.delete(stream);
    if (line !== undefined && line.length > 0) this.ready.set(stream, line);
  }

  private expire(waiting: Waiting): void {
    const { stream } = waiting.append;
    const message = `append to ${stream} took longer than ${this.limits.callMs} ms`;
    if (waiting.sent) {
      waiting.settle({ kind: 'failed', error: new OutcomeUnknownError(message) });
      return;
    }
    const line = this.ready.get(stream) ?? this.busy.get(stream) ?? [];
    line.splice(line.indexOf(waiting), 1);
    if (line.length === 0) this.ready.delete(stream);
    waiting.settle({ kind: 'failed', error: new EventStoreUnavailableError(message) });
    this.tellWhenIdle();
  }
}
