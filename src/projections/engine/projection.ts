import type { Position } from '../../events/stored-event.js';
import type { LiveCheckpoint, ProjectionFault } from './checkpoint.js';
import type { SetAside } from './projector.js';

/** `leading` applies events, `standby` does not, and looks where another instance is, `faulted` has stopped at an event. */
export type ProjectionState = 'starting' | 'leading' | 'standby' | 'faulted' | 'stopped';

/** How a projection is doing, as this instance knows it. Positions are `null` before the first event. */
export interface ProjectionStatus {
  readonly projection: string;
  /** The generation that is read; `null` before it is known. */
  readonly generation: number | null;
  readonly state: ProjectionState;
  /**
   * When this instance last asked for the lead, another session held it: that of another instance, or of one that is gone and
   * whose session PostgreSQL has not ended yet.
   */
  readonly otherLeads: boolean;
  readonly handled: Position | null;
  readonly scanned: Position | null;
  readonly head: Position | null;
  /** Positions between the last event applied and the head; the number of events on a store with dense positions. */
  readonly lagEvents: number;
  /** Seconds since the projection had last caught up with the log; 0 while it has. */
  readonly lagSeconds: number;
  readonly fault: ProjectionFault | null;
  /** Its own connections to the database have failed for ten seconds, and none was had since. */
  readonly outOfTouch: boolean;
  /** Streams that are set aside, and users who are marked. */
  readonly setAside: { readonly streams: number; readonly users: number };
  readonly batches: number;
  readonly eventsApplied: number;
  readonly faults: number;
}

/** A batch that was committed: events wholly applied, and seconds from reading the log to the commit. */
export interface CommittedBatch {
  readonly generation: number;
  readonly events: number;
  readonly seconds: number;
}

/** What the outside learns: after a commit (by whom it changed), after another instance's, and of trouble. */
export interface ProjectionListener {
  /** Rows of these users (or of all) changed and are committed. */
  onChanged(changed: readonly string[] | 'all'): void;
  /**
   * What this instance knows of the live generation and its checkpoint was confirmed `ageMs` milliseconds ago; `moved`
   * when another instance moved either and it is not known whom that changed.
   */
  onConfirmed(live: LiveCheckpoint, moved: boolean, ageMs: number): void;
  /** This instance committed a batch. */
  onBatch(batch: CommittedBatch): void;
  onFault(fault: ProjectionFault): void;
  /** This instance set something aside, and went on. */
  onSetAside(generation: number, what: SetAside): void;
  /** Something passing went wrong and is tried again. */
  onTrouble(error: unknown): void;
}

/** A projection as the rest of the process sees it, in whichever thread it is folded. */
export interface Projection {
  status(): ProjectionStatus;
  /**
   * Whether the rows of the event at `position` are written, and of all before it but for users whom a publication under way
   * has not come to; waits for it up to `timeoutMs`.
   */
  waitUntil(position: Position, timeoutMs: number): Promise<boolean>;
  /** Comes back when the checkpoint moves, or after `ms`. */
  nextChange(ms: number): Promise<void>;
}
