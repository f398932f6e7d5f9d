import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { API_VERSION } from '../events.js';
import { pageOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { WebhookEndpoint } from '../types.js';
import type { Webhooks } from './delivery.js';
import type { Destination } from './destinations.js';

const fields = {
  description: p.emptyable(p.text).optional(),
  enabled_events: z.array(p.text).min(1),
  metadata: p.emptyable(p.metadata).optional(),
  url: z.url({ protocol: /^https?$/ }),
  expand: p.expand,
};

/** `/v1/webhook_endpoints`: who gets snapshot events. The secret is shown once, to whoever makes one. */
export function webhookEndpointRoutes(router: Router, account: Account, webhooks: Webhooks): void {
  const { destinations } = webhooks;
  const create = z.strictObject({ ...fields, api_version: p.text.optional(), connect: p.ignored });
  router.on('POST', '/v1/webhook_endpoints', create, (params) => {
    if (params.api_version !== undefined && params.api_version !== API_VERSION) {
      throw invalidRequest(`The simulator speaks ${API_VERSION} alone.`, { param: 'api_version' });
    }
    const made = addEndpoint(account, webhooks, { url: params.url, enabledEvents: params.enabled_events });
    const shown: WebhookEndpoint = {
      ...made.shown,
      description: params.description ?? null,
      metadata: params.metadata ?? {},
    };
    destinations.set(made.id, { ...made, shown });
    return { ...shown, secret: made.secret };
  });
  router.on('GET', '/v1/webhook_endpoints', z.strictObject(p.cursor), (cursor) =>
    pageOf('/v1/webhook_endpoints', endpoints(webhooks).reverse(), cursor),
  );
  router.on(
    'GET',
    '/v1/webhook_endpoints/:id',
    z.strictObject({ expand: p.expand }),
    (_, { id }) => endpointOf(webhooks, id).shown,
  );
  const update = z.strictObject({
    ...fields,
    url: fields.url.optional(),
    enabled_events: fields.enabled_events.optional(),
    disabled: p.boolean.optional(),
  });
  router.on('POST', '/v1/webhook_endpoints/:id', update, (params, { id }) => {
    const before = endpointOf(webhooks, id);
    const enabled =
      params.disabled === undefined
        ? before.enabled
        : params.disabled
          ? ('disabled' as const)
          : ('enabled' as const);
    const enabledEvents = params.enabled_events ?? before.enabledEvents;
    const shown: WebhookEndpoint = {
      ...before.shown,
      description: params.description === undefined ? before.shown.description : params.description,
      enabled_events: enabledEvents,
      metadata: p.mergeMetadata(before.shown.metadata, params.metadata),
      status: enabled,
      url: params.url ?? before.url,
    };
    destinations.set(id, { ...before, url: shown.url, enabledEvents, enabled, shown });
    return shown;
  });
  router.on('DELETE', '/v1/webhook_endpoints/:id', z.strictObject({}), (_, { id }) => {
    destinations.delete(endpointOf(webhooks, id).id);
    return { id, object: 'webhook_endpoint', deleted: true };
  });
}

/** A destination that is shown as a v1 endpoint. */
type Endpoint = Destination & { readonly shown: WebhookEndpoint };

/** Adds an endpoint for snapshots. @param wanted a secret, where it must be a known one */
export function addEndpoint(
  account: Account,
  webhooks: Webhooks,
  wanted: {
    readonly url: string;
    readonly enabledEvents: readonly string[];
    readonly secret?: string | undefined;
  },
): Endpoint {
  const id = account.ids.next('we');
  const shown: WebhookEndpoint = {
    id,
    object: 'webhook_endpoint',
    api_version: API_VERSION,
    application: null,
    created: account.now,
    description: null,
    enabled_events: wanted.enabledEvents,
    livemode: false,
    metadata: {},
    status: 'enabled',
    url: wanted.url,
  };
  const endpoint: Endpoint = {
    id,
    url: wanted.url,
    secret: wanted.secret ?? `whsec_${account.ids.letters(32)}`,
    payload: 'snapshot',
    enabledEvents: wanted.enabledEvents,
    enabled: 'enabled',
    shown,
  };
  webhooks.destinations.set(id, endpoint);
  return endpoint;
}

function isEndpoint(destination: Destination): destination is Endpoint {
  return destination.shown.object === 'webhook_endpoint';
}

function endpoints({ destinations }: Webhooks): WebhookEndpoint[] {
  return [...destinations.values()].filter(isEndpoint).map(({ shown }) => shown);
}

function endpointOf({ destinations }: Webhooks, id: string): Endpoint {
  const found = destinations.get(id);
  if (found === undefined || !isEndpoint(found)) throw resourceMissing('webhook endpoint', id);
  return found;
}
