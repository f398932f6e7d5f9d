import { isUnreachable } from '../../database/transient.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import type { LiveCheckpoint, ProjectionFault } from './checkpoint.js';
import { isWritten } from './partial-progress.js';
import type { ProjectionListener, ProjectionState, ProjectionStatus } from './projection.js';
import { NOTHING_SET_ASIDE } from './set-aside-summary.js';
import type { WakeSignal } from './wake-signal.js';

/** Connections may fail for so long before an instance counts as out of touch. */
const OUT_OF_TOUCH_MS = 10_000;

/** What one instance knows of its projection, whoever leads: live checkpoint, head, fault, and who waits for a move. */
export class EngineProgress {
  state: ProjectionState = 'starting';
  fault: ProjectionFault | null = null;
  /** The fault at which this instance stopped, and the checkpoint at which it does not try again. */
  stoppedAt: { readonly fault: ProjectionFault; readonly at: LiveCheckpoint } | null = null;
  /** As `ProjectionStatus.otherLeads`. */
  otherLeads = false;
  /** A session began since the checkpoint was read: a server that crashed before may have lost its last commits. */
  isSessionNew = false;
  #live: LiveCheckpoint | null = null;
  #head: Position | null = null;
  #caughtUpAt = Date.now();
  /** Since when, on the clock of `performance.now()`, the connections fail; `null` while they do not. */
  #failingSince: number | null = null;
  #batches = 0;
  #eventsApplied = 0;
  #faults = 0;
  readonly #waiters = new Set<() => void>();

  constructor(
    private readonly projection: string,
    private readonly listener: ProjectionListener,
    private readonly wakeSignal: WakeSignal,
  ) {}

  get live(): LiveCheckpoint | null {
    return this.#live;
  }

  get isBehind(): boolean {
    return comparePositions(this.#head, this.#live?.checkpoint.handled ?? null) > 0;
  }

  get hasWaiters(): boolean {
    return this.#waiters.size > 0;
  }

  status(): ProjectionStatus {
    const live = this.#live;
    const handled = live?.checkpoint.handled ?? null;
    const { streams, users } = live?.checkpoint.setAside ?? NOTHING_SET_ASIDE;
    return {
      projection: this.projection,
      generation: live?.generation ?? null,
      state: this.state,
      otherLeads: this.otherLeads,
      handled,
      scanned: live?.checkpoint.scanned ?? null,
      head: this.#head,
      lagEvents: this.isBehind ? Number(BigInt(this.#head ?? '0') - BigInt(handled ?? '0')) : 0,
      lagSeconds: this.isBehind ? (Date.now() - this.#caughtUpAt) / 1000 : 0,
      fault: this.fault,
      outOfTouch: this.#failingSince !== null && performance.now() - this.#failingSince > OUT_OF_TOUCH_MS,
      setAside: { streams, users },
      batches: this.#batches,
      eventsApplied: this.#eventsApplied,
      faults: this.#faults,
    };
  }

  /** Takes over a live checkpoint that was read. One of another swap may be of another log, which ends elsewhere. */
  learn(live: LiveCheckpoint): void {
    if (this.#live !== null && this.#live.liveEpoch !== live.liveEpoch) this.#head = null;
    this.#live = live;
  }

  /** Takes over a checkpoint that this instance moved as the leader. */
  advance(live: LiveCheckpoint): void {
    this.#live = live;
  }

  /** A batch of `events` events was committed, and with it the checkpoint of `advance`. */
  committed(events: number): void {
    this.#batches += 1;
    this.#eventsApplied += events;
    this.fault = null;
    this.sawHead(this.#live?.checkpoint.handled ?? null);
  }

  /** The log reaches at least to `position`. */
  sawHead(position: Position | null): void {
    if (comparePositions(position, this.#head) > 0) this.#head = position;
    if (!this.isBehind) this.#caughtUpAt = Date.now();
  }

  /** Entitlements are never guessed past a fault: this instance does not try again until the checkpoint has moved. */
  stopAt(fault: ProjectionFault, at: LiveCheckpoint): void {
    this.stoppedAt = { fault, at };
    this.fault = fault;
    this.state = 'faulted';
    this.#faults += 1;
    this.listener.onFault(fault);
  }

  /** The live checkpoint was read or written just now; `moved` as in `ProjectionListener.onConfirmed`. */
  confirmed(live: LiveCheckpoint, moved: boolean): void {
    this.#failingSince = null;
    this.listener.onConfirmed(live, moved, 0);
  }

  /** Something passing went wrong. */
  troubled(error: unknown): void {
    if (isUnreachable(error)) this.#failingSince ??= performance.now();
    this.listener.onTrouble(error);
  }

  /** Whether the rows of the event at `position` are written, as far as this instance knows. */
  isAt(position: Position): boolean {
    return this.#live !== null && isWritten(this.#live.checkpoint, position);
  }

  /** Comes back when the checkpoint moves, or after `ms`. A follower looks at once, because somebody waits. */
  nextChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
      if (this.state === 'standby') this.wakeSignal.wake();
    });
  }

  /** Ends every wait for a move. */
  wakeWaiters(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
