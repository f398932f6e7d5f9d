import type { Position } from '../../events/stored-event.js';
import type { Projection, ProjectionListener, ProjectionStatus } from '../engine/projection.js';
import { ENTITLEMENTS } from '../entitlements/entitlements.projector.js';
import { FoldingThread, type FoldingThreadOptions } from './folding-thread.js';
import type { CallOf, FromLiveThread, ToLiveThread, WorkerRequest } from './protocol.js';

/** Memory that is there for good counts more than the speed of a fold that keeps up anyway. */
const YOUNG_MEGABYTES = 8;

const NOT_STARTED: ProjectionStatus = {
  projection: ENTITLEMENTS,
  generation: null,
  state: 'starting',
  otherLeads: false,
  handled: null,
  scanned: null,
  head: null,
  lagEvents: 0,
  lagSeconds: 0,
  fault: null,
  outOfTouch: false,
  setAside: { streams: 0, users: 0 },
  batches: 0,
  eventsApplied: 0,
  faults: 0,
};

export interface ThreadedProjectionOptions
  extends Omit<FoldingThreadOptions<FromLiveThread>, 'file' | 'youngMegabytes' | 'onMessage'> {
  readonly listener: ProjectionListener;
}

/** The live fold in a thread of its own: it answers as the fold itself, one message later. */
export class ThreadedProjection implements Projection {
  readonly #thread: FoldingThread<ToLiveThread, FromLiveThread>;
  readonly #asked = new Map<number, (answer: boolean) => void>();
  #lastId = 0;
  #known: { readonly at: number; readonly status: ProjectionStatus } = { at: 0, status: NOT_STARTED };

  constructor(private readonly options: ThreadedProjectionOptions) {
    this.#thread = new FoldingThread({
      ...options,
      file: new URL('./live.worker.js', import.meta.url),
      youngMegabytes: YOUNG_MEGABYTES,
      onMessage: (message) => this.#on(message),
      onDied: (error) => {
        this.#ended();
        options.onDied(error);
      },
    });
  }

  start(): Promise<void> {
    return this.#thread.start();
  }

  async stop(): Promise<void> {
    try {
      await this.#thread.stop();
    } finally {
      this.#ended();
    }
  }

  /** There may be more to read. */
  wake(): void {
    this.#thread.post({ kind: 'wake' });
  }

  status(): ProjectionStatus {
    const { at, status } = this.#known;
    if (status.lagEvents === 0) return status;
    return { ...status, lagSeconds: status.lagSeconds + (Date.now() - at) / 1000 };
  }

  waitUntil(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#ask({ kind: 'wait_until', position, timeoutMs });
  }

  async nextChange(ms: number): Promise<void> {
    await this.#ask({ kind: 'next_change', ms });
  }

  #ask(question: WorkerRequest): Promise<boolean> {
    if (this.#known.status.state === 'stopped') return Promise.resolve(false);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#thread.post({ kind: 'ask', id, question });
    });
  }

  #on(message: FromLiveThread): void {
    if (message.kind === 'answered') {
      this.#asked.get(message.id)?.(message.answer);
      this.#asked.delete(message.id);
      return;
    }
    this.#known = { at: message.at, status: message.status };
    if (message.kind === 'called') callListener(this.options.listener, message.call, Date.now() - message.at);
  }

  /** Nobody answers any more. */
  #ended(): void {
    this.#known = { at: Date.now(), status: { ...this.#known.status, state: 'stopped' } };
    for (const answer of this.#asked.values()) answer(false);
    this.#asked.clear();
  }
}

/** What was confirmed `ageMs` ago is that much older here. */
function callListener(listener: ProjectionListener, call: CallOf<ProjectionListener>, ageMs: number): void {
  if (call.name === 'onConfirmed') {
    const [live, moved, olderMs] = call.given;
    listener.onConfirmed(live, moved, olderMs + ageMs);
  } else if (call.name === 'onChanged') {
    listener.onChanged(...call.given);
  } else if (call.name === 'onBatch') {
    listener.onBatch(...call.given);
  } else if (call.name === 'onFault') {
    listener.onFault(...call.given);
  } else if (call.name === 'onSetAside') {
    listener.onSetAside(...call.given);
  } else {
    listener.onTrouble(...call.given);
  }
}
