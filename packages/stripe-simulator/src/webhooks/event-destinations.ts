import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { API_VERSION } from '../events.js';
import type { Router } from '../http/router.js';
import type { EventDestination } from '../types.js';
import type { Webhooks } from './delivery.js';
import type { Destination } from './destinations.js';

const include = z.array(z.enum(['webhook_endpoint.signing_secret', 'webhook_endpoint.url'])).optional();

const create = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  type: z.literal('webhook_endpoint'),
  event_payload: z.enum(['snapshot', 'thin']),
  enabled_events: z.array(z.string()).min(1),
  events_from: z.array(z.string()).optional(),
  snapshot_api_version: z.literal(API_VERSION).optional(),
  webhook_endpoint: z.strictObject({ url: z.url({ protocol: /^https?$/ }) }),
  metadata: z.record(z.string(), z.string()).optional(),
  include,
});

/** `/v2/core/event_destinations`: who gets events, thin or as snapshots (Stripe: "Event destinations"). */
export function eventDestinationRoutes(router: Router, account: Account, webhooks: Webhooks): void {
  const { destinations } = webhooks;
  const path = '/v2/core/event_destinations';
  router.on('POST', path, create, (params) => {
    const made = addDestination(account, webhooks, params);
    return shownWith(made, params.include);
  });
  router.on('GET', path, z.strictObject({ include, limit: z.unknown().optional() }), (params) => ({
    data: [...destinations.values()].filter(isDestination).map((row) => shownWith(row, params.include)),
    next_page_url: null,
    previous_page_url: null,
  }));
  router.on('GET', `${path}/:id`, z.strictObject({ include }), (params, { id }) =>
    shownWith(destinationOf(webhooks, id), params.include),
  );
  const update = create
    .pick({
      name: true,
      description: true,
      enabled_events: true,
      metadata: true,
      include: true,
      webhook_endpoint: true,
    })
    .partial();
  router.on('POST', `${path}/:id`, update, (params, { id }) => {
    const before = destinationOf(webhooks, id);
    const shown: EventDestination = {
      ...before.shown,
      name: params.name ?? before.shown.name,
      description: params.description ?? before.shown.description,
      enabled_events: params.enabled_events ?? before.shown.enabled_events,
      metadata: { ...before.shown.metadata, ...params.metadata },
      updated: isoOf(account),
    };
    const url = params.webhook_endpoint?.url ?? before.url;
    const after = { ...before, url, enabledEvents: shown.enabled_events, shown };
    destinations.set(id, after);
    return shownWith(after, params.include);
  });
  for (const [verb, enabled] of [
    ['enable', 'enabled'],
    ['disable', 'disabled'],
  ] as const) {
    router.on('POST', `${path}/:id/${verb}`, z.strictObject({}), (_, { id }) => {
      const before = destinationOf(webhooks, id);
      const { status_details: _details, ...rest } = before.shown;
      const shown: EventDestination = {
        ...rest,
        status: enabled,
        ...(enabled === 'enabled' ? {} : { status_details: { disabled: { reason: 'user' as const } } }),
      };
      destinations.set(id, { ...before, enabled, shown });
      return shown;
    });
  }
  router.on('DELETE', `${path}/:id`, z.strictObject({}), (_, { id }) => {
    destinations.delete(destinationOf(webhooks, id).id);
    return { id, object: 'v2.core.event_destination' };
  });
}

type Listed = Destination & { readonly shown: EventDestination };

/** Adds a destination. @param wanted a secret, where it must be a known one */
export function addDestination(
  account: Account,
  webhooks: Webhooks,
  wanted: z.output<typeof create> & { readonly secret?: string | undefined },
): Listed {
  const id = `ed_test_${account.ids.letters(30)}`;
  const shown: EventDestination = {
    id,
    object: 'v2.core.event_destination',
    created: isoOf(account),
    description: wanted.description ?? '',
    enabled_events: wanted.enabled_events,
    event_payload: wanted.event_payload,
    events_from: wanted.events_from ?? ['self'],
    livemode: false,
    metadata: wanted.metadata ?? {},
    name: wanted.name,
    ...(wanted.event_payload === 'snapshot' ? { snapshot_api_version: API_VERSION } : {}),
    status: 'enabled',
    type: 'webhook_endpoint',
    updated: isoOf(account),
  };
  const destination: Listed = {
    id,
    url: wanted.webhook_endpoint.url,
    secret: wanted.secret ?? `whsec_${account.ids.letters(32)}`,
    payload: wanted.event_payload,
    enabledEvents: wanted.enabled_events,
    enabled: 'enabled',
    shown,
  };
  webhooks.destinations.set(id, destination);
  return destination;
}

/** What is private is shown to those who ask for it. */
function shownWith(destination: Listed, wanted: z.output<typeof include>): EventDestination {
  if (wanted === undefined || wanted.length === 0) return destination.shown;
  return {
    ...destination.shown,
    webhook_endpoint: {
      ...(wanted.includes('webhook_endpoint.signing_secret') ? { signing_secret: destination.secret } : {}),
      ...(wanted.includes('webhook_endpoint.url') ? { url: destination.url } : {}),
    },
  };
}

function isoOf(account: Account): string {
  return new Date(account.now * 1_000).toISOString();
}

function isDestination(destination: Destination): destination is Listed {
  return destination.shown.object === 'v2.core.event_destination';
}

function destinationOf({ destinations }: Webhooks, id: string): Listed {
  const found = destinations.get(id);
  if (found === undefined || !isDestination(found)) throw resourceMissing('event destination', id);
  return found;
}
