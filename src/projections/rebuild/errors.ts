import type { Position } from '../../events/stored-event.js';
import { NamedError } from '../../observability/named-error.js';
import type { ProjectionFault } from '../engine/checkpoint.js';

/** Why the generations refuse something. */
export type GenerationErrorCode =
  | 'rebuild_in_progress'
  | 'unknown_generation'
  | 'generation_is_live'
  | 'generation_behind'
  | 'generation_faulted'
  | 'build_of_other_code'
  | 'verification_in_progress'
  | 'nothing_to_roll_back'
  | 'no_fault'
  | 'fault_elsewhere'
  | 'no_catalog'
  | 'publication_under_way'
  | 'publication_would_fault'
  | 'log_is_known'
  | 'adoption_interrupted';

/** What was asked of the generations cannot be done as they are; nothing was changed. `code` is stable. */
export abstract class GenerationError extends NamedError {
  abstract override readonly code: GenerationErrorCode;
}

/** There is a build already: it goes on, or must be swapped in or dropped before another begins. */
export class RebuildInProgressError extends GenerationError {
  readonly code = 'rebuild_in_progress';
  constructor(
    readonly generation: number,
    readonly startedBy: string,
    readonly startedAt: Date,
  ) {
    super(
      `generation ${generation} is being built, asked for by ${startedBy} at ${startedAt.toISOString()}: ` +
        'swap it in or drop it first',
    );
  }
}

/** The log holds the event of what is read: there is nothing to adopt. */
export class LogIsKnownError extends GenerationError {
  readonly code = 'log_is_known';
  constructor() {
    super('the log is the one that the read models were made from: there is nothing to adopt');
  }
}

/** The log changed while it was folded to be adopted. */
export class AdoptionInterruptedError extends GenerationError {
  readonly code = 'adoption_interrupted';
  constructor() {
    super('the log became another one while it was folded: nothing was adopted, look again');
  }
}

/** No such generation, or it is dropped. */
export class UnknownGenerationError extends GenerationError {
  readonly code = 'unknown_generation';
  constructor(readonly generation: number) {
    super(`there is no generation ${generation}`);
  }
}

/** The live generation can neither be dropped nor be swapped for itself. */
export class GenerationIsLiveError extends GenerationError {
  readonly code = 'generation_is_live';
  constructor(readonly generation: number) {
    super(`generation ${generation} is the one that is read`);
  }
}

/** The generation did not catch up with the live one in time: nobody folds it, or it is far behind. */
export class GenerationBehindError extends GenerationError {
  readonly code = 'generation_behind';
  constructor(
    readonly generation: number,
    readonly handled: Position | null,
    readonly live: Position | null,
  ) {
    super(
      `generation ${generation} is at ${handled ?? 'the beginning'}, the live one at ${live ?? 'the beginning'}: ` +
        'it comes level only while a service runs that folds it',
    );
  }
}

/** The generation stopped at an event that could not be folded into it. */
export class GenerationFaultedError extends GenerationError {
  readonly code = 'generation_faulted';
  constructor(
    readonly generation: number,
    readonly fault: ProjectionFault,
  ) {
    super(`generation ${generation} stopped at ${fault.type} (position ${fault.position}): ${fault.message}`);
  }
}

/** A build by other code than runs here: folding on would make rows that neither code would make. */
export class BuildOfOtherCodeError extends GenerationError {
  readonly code = 'build_of_other_code';
  constructor(
    readonly generation: number,
    readonly builtBy: string,
    readonly running: string,
  ) {
    super(
      `generation ${generation} was begun by code ${builtBy}, this is code ${running}: ` +
        'drop it and rebuild, or let a service with that code finish it',
    );
  }
}

/** This process verifies already: its connections are for one verification at a time. */
export class VerificationInProgressError extends GenerationError {
  readonly code = 'verification_in_progress';
  constructor() {
    super('a verification is under way here: wait for its end');
  }
}

/** Nothing was swapped, or what was replaced is dropped. */
export class NothingToRollBackError extends GenerationError {
  readonly code = 'nothing_to_roll_back';
  constructor() {
    super('there is no earlier generation to go back to');
  }
}

/** The generation stands at no fault and set nothing aside: there is nothing to resume or to skip. */
export class NoFaultError extends GenerationError {
  readonly code = 'no_fault';
  constructor(readonly generation: number) {
    super(`generation ${generation} stands at no fault and has nothing set aside`);
  }
}

/** Another event than the one that was named is at fault: the skip is not for another one. */
export class FaultElsewhereError extends GenerationError {
  readonly code = 'fault_elsewhere';
  constructor(
    readonly position: Position,
    readonly fault: ProjectionFault,
  ) {
    super(
      `neither does the projection stand at ${position}, nor is a stream set aside from there on: ` +
        `at fault is ${fault.type} (position ${fault.position})`,
    );
  }
}

/** No catalogue was ever published: there is nothing to compare another one with. */
export class NoCatalogError extends GenerationError {
  readonly code = 'no_catalog';
  constructor() {
    super('no plan catalogue was published yet');
  }
}

/** The live generation is in the middle of a publication, and stays there. */
export class PublicationUnderWayError extends GenerationError {
  readonly code = 'publication_under_way';
  constructor(readonly generation: number) {
    super(`generation ${generation} is still judging users by the catalogue published last: ask again`);
  }
}

/** The running code cannot judge every user by that catalogue: its publication would be set aside, or some users be. */
export class PublicationWouldFaultError extends GenerationError {
  readonly code = 'publication_would_fault';
  constructor(override readonly cause: unknown) {
    super(
      `users cannot be judged by this catalogue: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}
