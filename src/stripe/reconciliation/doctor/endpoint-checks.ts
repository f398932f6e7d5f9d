import { z } from 'zod';
import type { Finding } from './finding.js';
import { some } from './finding.js';

/** Stripe's webhook endpoint, or its event destination that sends to one, whatever it was made with. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly isEnabled: boolean;
  readonly livemode: boolean;
  readonly isThin: boolean;
  /** Types of events; `*` for all. */
  readonly types: readonly string[];
}

const webhookEndpointSchema = z.looseObject({
  id: z.string(),
  url: z.string(),
  status: z.string(),
  livemode: z.boolean(),
  enabled_events: z.array(z.string()),
});

const destinationSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  status: z.string(),
  livemode: z.boolean(),
  event_payload: z.string(),
  enabled_events: z.array(z.string()),
  webhook_endpoint: z.looseObject({ url: z.string().nullish() }).nullish(),
});

/** Reads a webhook endpoint (Stripe: "The webhook endpoint object"). */
export function webhookEndpoint(object: unknown): Endpoint {
  const { id, url, status, livemode, enabled_events: types } = webhookEndpointSchema.parse(object);
  return { id, url, isEnabled: status === 'enabled', livemode, isThin: false, types };
}

/** Reads an event destination (Stripe: "The event destination object"); `null` of one that sends to no webhook endpoint. */
export function eventDestination(object: unknown): Endpoint | null {
  const { id, type, status, livemode, event_payload, enabled_events, webhook_endpoint } =
    destinationSchema.parse(object);
  const url = webhook_endpoint?.url;
  if (type !== 'webhook_endpoint' || url == null) return null;
  const isThin = event_payload === 'thin';
  return { id, url, isEnabled: status === 'enabled', livemode, isThin, types: enabled_events };
}

/** What is asked of the endpoints. */
export interface Expected {
  /** What the service's address ends with. */
  readonly path: string;
  readonly livemode: boolean;
  readonly handledTypes: ReadonlySet<string>;
  /** Whether the key may read events, which thin ones need. */
  readonly readsEvents: boolean;
}

/** What is wrong with the endpoints that send to the service, of each that is enabled and of all. */
export function checkEndpoints(all: readonly Endpoint[], expected: Expected): readonly Finding[] {
  const ours = all.filter(({ url }) => new URL(url).pathname.endsWith(expected.path));
  const enabled = ours.filter(({ isEnabled }) => isEnabled);
  if (ours.length === 0) return [missing(expected)];
  return [
    ...ours.filter(({ isEnabled }) => !isEnabled).map(disabled),
    ...enabled.filter(({ livemode }) => livemode !== expected.livemode).map(ofOtherMode),
    ...enabled.flatMap((endpoint) => lacking(endpoint, expected.handledTypes)),
    ...(expected.readsEvents ? [] : enabled.filter(({ isThin }) => isThin).map(unreadable)),
  ];
}

function missing({ path, livemode }: Expected): Finding {
  return {
    code: 'endpoint_missing',
    says: `No webhook endpoint of Stripe's ${livemode ? 'live' : 'test'} mode sends to …${path}.`,
    remedy: `Make one for https://<your service>${path}, and put its signing secret into STRIPE_WEBHOOK_SECRET.`,
  };
}

function disabled({ id, url }: Endpoint): Finding {
  return {
    code: 'endpoint_disabled',
    says: `The endpoint ${id} (${url}) is disabled: nothing comes from it.`,
    remedy: 'Enable it, then run `tenure reconcile`; or delete it where another took its place.',
  };
}

function ofOtherMode({ id, url, livemode }: Endpoint): Finding {
  return {
    code: 'endpoint_other_mode',
    says: `The endpoint ${id} (${url}) sends events of ${livemode ? 'live' : 'test'} mode, which are ignored.`,
    remedy: 'Make the endpoint in the mode that STRIPE_LIVEMODE says.',
  };
}

function lacking({ id, isThin, types }: Endpoint, handled: ReadonlySet<string>): readonly Finding[] {
  if (types.includes('*')) return [];
  const sent = new Set(isThin ? types.map((type) => type.replace(/^v1\./, '')) : types);
  const absent = [...handled].filter((type) => !sent.has(type)).sort();
  if (absent.length === 0) return [];
  return [
    {
      code: 'endpoint_lacks_types',
      says: `The endpoint ${id} does not send ${some(absent)}.`,
      remedy: 'Enable these types; docs/STRIPE.md says what each is for.',
    },
  ];
}

function unreadable({ id }: Endpoint): Finding {
  return {
    code: 'thin_events_unreadable',
    says: `The endpoint ${id} sends thin events, and STRIPE_SECRET_KEY may not read events.`,
    remedy: 'Allow the key to read events, or have the endpoint send snapshots.',
  };
}
