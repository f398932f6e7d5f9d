import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { FoldingPlace } from './thread-stores.js';

/** How long a thread may take to end after a stop, in milliseconds. */
const STOP_WITHIN_MS = 4_500;

/** V8 reckons young objects as two halves and as much again for large ones. */
const PARTS_OF_YOUNG = 3;

/** Every kind of message that a thread may send is one of these. */
interface Message {
  readonly kind: string;
}

export interface FoldingThreadOptions<From> {
  /** The file that the thread begins with. */
  readonly file: URL;
  readonly place: FoldingPlace;
  /** Megabytes of each of the two halves that V8 has for young objects: what one holds more, the fold copies less. */
  readonly youngMegabytes: number;
  /** Node's flags for the thread. Left out: those of the process. */
  readonly nodeFlags?: readonly string[];
  readonly onMessage: (message: From) => void;
  /** The thread has ended without a stop: what it folded stands still. */
  readonly onDied: (error: Error) => void;
}

/** A thread that folds the log, seen from the one that serves: folding takes no time from answers. */
export class FoldingThread<To extends Message, From extends Message> {
  #worker: Worker | null = null;
  #exit: Promise<unknown> | null = null;
  #stopping = false;

  constructor(private readonly options: FoldingThreadOptions<From>) {}

  /** Comes back when the thread folds. Rejects with what it threw before. */
  async start(): Promise<void> {
    const { file, place, youngMegabytes, nodeFlags, onMessage, onDied } = this.options;
    const worker = new Worker(file, {
      workerData: place,
      resourceLimits: { maxYoungGenerationSizeMb: PARTS_OF_YOUNG * youngMegabytes },
      ...(nodeFlags === undefined ? {} : { execArgv: [...nodeFlags] }),
    });
    this.#worker = worker;
    this.#exit = new Promise((resolve) => worker.once('exit', resolve));
    let started = false;
    await new Promise<void>((resolve, reject) => {
      let error = new Error('a folding thread ended');
      worker.on('message', (message: From) => {
        onMessage(message);
        if (message.kind !== 'started') return;
        started = true;
        resolve();
      });
      worker.on('error', (thrown) => {
        error = thrown;
      });
      worker.on('exit', () => {
        if (!started) reject(error);
        else if (!this.#stopping) onDied(error);
      });
    });
  }

  /** Does nothing once the thread has ended. */
  post(message: To | { readonly kind: 'wake' }): void {
    this.#worker?.postMessage(message);
  }

  /**
   * Lets the thread finish the batch at hand, and waits for its end; one that does not end in time is ended, and what it
   * was at is undone. Rejects then.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#worker?.postMessage({ kind: 'stop' });
    const late = pause(STOP_WITHIN_MS, 'late', { ref: false });
    if ((await Promise.race([this.#exit, late])) !== 'late') return;
    await this.#worker?.terminate();
    throw new Error(`a thread that folds did not end within ${STOP_WITHIN_MS} ms, and was ended`);
  }
}
