import { ProblemError } from '../http/problem.js';

/** A place in the revocation feed, and the epoch in which it is one (DESIGN 9). */
export interface RevocationCursor {
  readonly epoch: string;
  readonly sequence: bigint;
}

const SHAPE = /^([0-9a-f]{1,32})\.(0|[1-9]\d{0,17})$/;

/** @throws ProblemError `invalid_request` when it is no cursor of the feed */
export function parseCursor(text: string): RevocationCursor {
  const [, epoch, sequence] = SHAPE.exec(text) ?? [];
  if (epoch === undefined || sequence === undefined) {
    throw new ProblemError('invalid_request', 'after must be a `cursor` of the feed.');
  }
  return { epoch, sequence: BigInt(sequence) };
}

export function cursorText({ epoch, sequence }: RevocationCursor): string {
  return `${epoch}.${sequence}`;
}
