import type { ProblemError } from '../problem.js';

/** Whether a reply of this status is given to every repeat: one that says nothing of the request's contents is not. */
export function isKeptStatus(status: number): boolean {
  return status < 500 && status !== 401 && status !== 429;
}

/** Whether a refusal is given to every repeat. One that says when to ask again (`retry-after`) is not: a repeat may find it otherwise. */
export function isKeptProblem({
  status,
  code,
  headers,
}: Pick<ProblemError, 'status' | 'code' | 'headers'>): boolean {
  return isKeptStatus(status) && code !== 'forbidden' && !('retry-after' in headers);
}
