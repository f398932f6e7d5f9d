import type { Settings } from '../config/settings.js';
import type { Logger } from '../observability/logger.js';
import { openTracing } from '../observability/open-tracing.js';
import type { Tracing } from '../observability/tracing.js';
import { STEPS } from './steps.js';
import type { StartSteps } from './stop-order.js';

/** Traces where the settings say where to; `null` where they do not. Begun first, and so the last to end. */
export async function openTraces(
  { tracing }: Settings,
  logger: Logger,
  steps: StartSteps,
): Promise<Tracing | null> {
  if (tracing === null) return null;
  const opening = openTracing(tracing, {
    fails: (err) => logger.warn({ err }, 'traces cannot be sent, and are dropped'),
    works: () => logger.info('traces are sent again'),
  });
  return steps.open(STEPS.traces, opening, (opened) => opened.close());
}
