import type { Logger } from '../observability/logger.js';
import { Sampler } from '../observability/sampler.js';
import type { RefusedDelivery } from './webhook.service.js';

/** Deliveries that are refused alike are told of at most once in so many milliseconds. */
const REFUSED_EVERY_MS = 60_000;

/**
 * Has the log tell of deliveries that are refused: one of each kind, which is code and type, in a minute, with how many were
 * left out before it. `now` counts milliseconds, from whenever.
 */
export function refusalsIn(
  logger: Logger,
  now: () => number = () => performance.now(),
): (refused: RefusedDelivery) => void {
  const sampler = new Sampler(REFUSED_EVERY_MS, now);
  return (refused) => {
    const leftOut = sampler.take(`${refused.code} ${refused.type}`);
    if (leftOut !== null) logger.warn({ ...refused, leftOut }, 'a delivery of Stripe was refused');
  };
}
