import type { Logger } from '../observability/logger.js';
import { Sampler } from '../observability/sampler.js';
import type { ThinTrouble } from './thin-events.js';
import type { RefusedDelivery } from './webhook.service.js';

/** What is alike is told of at most once in so many milliseconds. */
const TOLD_EVERY_MS = 60_000;

/**
 * Has the log tell of deliveries that are refused: one of each kind, which is code and type, in a minute, with how many were
 * left out before it. `now` counts milliseconds, from whenever.
 */
export function refusalsIn(
  logger: Logger,
  now: () => number = () => performance.now(),
): (refused: RefusedDelivery) => void {
  const sampler = new Sampler(TOLD_EVERY_MS, now);
  return (refused) => {
    const leftOut = sampler.take(`${refused.code} ${refused.type}`);
    if (leftOut !== null) logger.warn({ ...refused, leftOut }, 'a delivery of Stripe was refused');
  };
}

/** Has the log tell of thin events that nothing was fetched for: one of each reason in a minute, as of what is refused. */
export function thinTroublesIn(
  logger: Logger,
  now: () => number = () => performance.now(),
): (trouble: ThinTrouble) => void {
  const sampler = new Sampler(TOLD_EVERY_MS, now);
  return (trouble) => {
    const leftOut = sampler.take(trouble.why.replace(/, request .*$/, ''));
    if (leftOut !== null) logger.warn({ ...trouble, leftOut }, 'nothing was fetched for a thin event');
  };
}
