import { ProblemError } from '../../http/problem.js';
import type { LogWatch } from '../../projections/engine/log-watch.js';
import type { Projection } from '../../projections/engine/projection.js';

/** Milliseconds that the read model has to reach the end of the log: what is bought or changed hangs on what is known. */
const WAIT_MS = 5_000;

export interface LogFollowing {
  readonly engine: Pick<Projection, 'waitUntil'>;
  readonly logWatch: Pick<LogWatch, 'end'>;
}

/** Waits until all that is in the log now is read. @throws ProblemError `checkout_not_ready` */
export async function waitForEndOfLog({ engine, logWatch }: LogFollowing): Promise<void> {
  const end = await logWatch.end();
  if (end === null || (await engine.waitUntil(end, WAIT_MS))) return;
  throw new ProblemError('checkout_not_ready', 'The read model is behind the log. Try again.', {
    'retry-after': '5',
  });
}
