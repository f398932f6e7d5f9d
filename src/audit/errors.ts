import type { Position } from '../events/stored-event.js';
import { NamedError } from '../observability/named-error.js';

/** The live generation was begun by code that did not keep what this is answered by. */
export class RebuildNeededError extends NamedError {
  readonly code = 'rebuild_needed';
  constructor() {
    super('the read models were made before questions as of a moment: rebuild them');
  }
}

/** The read models did not come to what the log holds in time. */
export class NotLevelError extends NamedError {
  readonly code = 'projection_behind';
  constructor(handled: Position | null, head: Position) {
    super(`the read models are at ${handled ?? '0'} and did not reach ${head} in time`);
  }
}

/** A moment was asked for that is not there yet. */
export class MomentAheadError extends NamedError {
  readonly code = 'time_in_future';
  constructor() {
    super('nothing can be known yet of a moment that is still to come');
  }
}

/** The read models were built anew since a page of a history was read: its rows are others. */
export class HistoryRebuiltError extends NamedError {
  readonly code = 'history_rebuilt';
  constructor() {
    super('the history was built anew since that page: begin again');
  }
}

/** A position was named at which the log has no event. */
export class NoEventThereError extends NamedError {
  readonly code = 'position_unknown';
  constructor(position: Position) {
    super(`no event of the log is at ${position}`);
  }
}
