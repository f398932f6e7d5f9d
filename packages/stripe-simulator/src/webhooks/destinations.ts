import type { EventRow } from '../events.js';
import type { EventDestination, WebhookEndpoint } from '../types.js';

/** Where events are posted to, made through either API. */
export interface Destination {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly payload: 'snapshot' | 'thin';
  /** `*`, or types; those of a thin destination begin with `v1.`. */
  readonly enabledEvents: readonly string[];
  readonly enabled: 'enabled' | 'disabled';
  /** The destination as the API shows it: a v1 endpoint, or a v2 destination. */
  readonly shown: WebhookEndpoint | EventDestination;
}

/** Whether a destination listens to an event. */
export function listensTo({ enabled, enabledEvents, payload }: Destination, { type }: EventRow): boolean {
  if (enabled === 'disabled') return false;
  const name = payload === 'thin' ? `v1.${type}` : type;
  return enabledEvents.includes('*') || enabledEvents.includes(name);
}
