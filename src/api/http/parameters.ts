import { ProblemError } from './problem.js';

/** A parameter that is not understood is refused, never passed over: its answer would be another one. */
export function refuseOthers(others: Readonly<Record<string, unknown>>): void {
  const [unknown] = Object.keys(others);
  if (unknown === undefined) return;
  throw new ProblemError('unsupported_parameter', `This route has no parameter "${unknown.slice(0, 50)}".`);
}
