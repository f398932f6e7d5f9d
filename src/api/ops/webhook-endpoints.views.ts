import type { DeadLetter } from '../../reactions/dead-letters.js';
import type { Endpoint } from '../../reactions/webhooks/endpoint.js';

/** An endpoint as it is shown: without its secret. */
export function endpointView({ createdAt, rotatedUntil, ...rest }: Endpoint) {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    rotatedUntil: rotatedUntil?.toISOString() ?? null,
  };
}

/** Work that was given up, as it is shown. */
export function deadLetterView({
  id,
  reaction,
  group,
  attempts,
  failure,
  createdAt,
  deadAt,
  payload,
}: DeadLetter) {
  return {
    id,
    reaction,
    group,
    attempts,
    failure,
    createdAt: createdAt.toISOString(),
    deadAt: deadAt.toISOString(),
    payload,
  };
}
