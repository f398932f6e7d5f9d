import { NamedError } from '../../observability/named-error.js';

/** Nothing is known of the user whose history was asked for. */
export class NothingKnownError extends NamedError {
  readonly code = 'nothing_known';
  constructor() {
    super('nothing is known of this user');
  }
}

/** More was recorded of the user while it was exported, each time it was begun anew. */
export class ExportOvertakenError extends NamedError {
  readonly code = 'export_overtaken';
  constructor() {
    super(
      'more was recorded of this user while it was exported, however often that was begun anew: try again',
    );
  }
}

/** The log has no tree that grows, or none that is signed. */
export class NoCheckpointError extends NamedError {
  readonly code = 'no_checkpoint';
  constructor() {
    super('there is no signed checkpoint of the log');
  }
}

/** A checkpoint to be proved the beginning of the log is not one of this log. */
export class OtherCheckpointError extends NamedError {
  readonly code = 'other_checkpoint';
}
