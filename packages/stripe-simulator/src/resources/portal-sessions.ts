import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { hasEnded, itemsOf } from '../billing/subscription-object.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { PortalConfiguration, PortalSession, Subscription } from '../types.js';
import { customerOf } from './customers.js';
import { configurationOf } from './portal-configurations.js';
import { subscriptionOf } from './subscriptions.js';

const flow = z.strictObject({
  type: z.enum([
    'payment_method_update',
    'subscription_cancel',
    'subscription_update',
    'subscription_update_confirm',
  ]),
  after_completion: z
    .strictObject({
      type: z.enum(['hosted_confirmation', 'portal_homepage', 'redirect']),
      hosted_confirmation: z.strictObject({ custom_message: p.text.optional() }).optional(),
      redirect: z.strictObject({ return_url: p.text }).optional(),
    })
    .optional(),
  subscription_cancel: z.strictObject({ subscription: p.text, retention: p.ignored }).optional(),
  subscription_update: z.strictObject({ subscription: p.text }).optional(),
  subscription_update_confirm: z
    .strictObject({
      subscription: p.text,
      items: z.array(
        z.strictObject({ id: p.text, price: p.text.optional(), quantity: p.integer.optional() }),
      ),
      discounts: p.ignored,
    })
    .optional(),
});
type FlowParams = z.output<typeof flow>;

/** `/v1/billing_portal/sessions`: a way into the portal, or straight to one thing that is to be done there. */
export function portalSessionRoutes(router: Router, account: Account): void {
  const create = z.strictObject({
    configuration: p.text.optional(),
    customer: p.text,
    flow_data: flow.optional(),
    locale: p.ignored,
    return_url: p.text.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/billing_portal/sessions', create, (params) => {
    customerOf(account, params.customer, 'customer');
    const configuration = configurationMeant(account, params.configuration);
    const id = account.ids.next('bps');
    const session: PortalSession = {
      id,
      object: 'billing_portal.session',
      configuration: configuration.id,
      created: account.now,
      customer: params.customer,
      customer_account: null,
      flow:
        params.flow_data === undefined
          ? null
          : flowOf(account, configuration, params.customer, params.flow_data),
      livemode: false,
      locale: null,
      on_behalf_of: null,
      return_url: params.return_url ?? configuration.default_return_url,
      url: `${account.url}/p/session/${id}`,
    };
    return account.add(account.portalSessions, session, 'billing_portal.session.created');
  });
}

function configurationMeant(account: Account, id: string | undefined): PortalConfiguration {
  if (id !== undefined) return configurationOf(account, id, 'configuration');
  const standard = account.portalConfigurations.select({ where: (row) => row.is_default }).next().value;
  if (standard != null) return standard;
  throw invalidRequest(
    'No configuration provided and your test mode default configuration has not been created. Provide a configuration or create your default by saving your customer portal settings in test mode.',
  );
}

/** Checks what a flow is about as Stripe does before it gives a link. @throws ApiError 400 */
function flowOf(
  account: Account,
  { features }: PortalConfiguration,
  customer: string,
  params: FlowParams,
): NonNullable<PortalSession['flow']> {
  const { after_completion: after, type } = params;
  const base = {
    after_completion: {
      hosted_confirmation:
        after?.hosted_confirmation === undefined
          ? null
          : { custom_message: after.hosted_confirmation.custom_message ?? null },
      redirect: after?.redirect ?? null,
      type: after?.type ?? ('portal_homepage' as const),
    },
    customer_update: null,
    subscription_cancel: null,
    subscription_pause: null,
    subscription_update: null,
    subscription_update_confirm: null,
    type,
  };
  switch (type) {
    case 'payment_method_update':
      if (!features.payment_method_update.enabled) throw disabled('payment method updates');
      return base;
    case 'subscription_cancel': {
      if (!features.subscription_cancel.enabled) throw disabled('subscription cancellations');
      const { subscription } = given(params.subscription_cancel, type);
      const { id, cancel_at } = subscriptionIn(account, customer, subscription, type);
      if (cancel_at !== null)
        throw invalidRequest('This subscription is already set to be canceled at period end.');
      return { ...base, subscription_cancel: { retention: null, subscription: id } };
    }
    case 'subscription_update': {
      if (!features.subscription_update.enabled) throw disabled('subscription updates');
      const { subscription } = given(params.subscription_update, type);
      const { id } = updatable(account, subscriptionIn(account, customer, subscription, type));
      return { ...base, subscription_update: { subscription: id } };
    }
    case 'subscription_update_confirm': {
      if (!features.subscription_update.enabled) throw disabled('subscription updates');
      const { subscription, items } = given(params.subscription_update_confirm, type);
      const of = updatable(account, subscriptionIn(account, customer, subscription, type));
      refuseItems(account, features, of, items);
      return {
        ...base,
        subscription_update_confirm: {
          discounts: null,
          items: items.map(({ id, price, quantity }) => ({
            id,
            price: price ?? null,
            ...(quantity === undefined ? {} : { quantity }),
          })),
          subscription: of.id,
        },
      };
    }
  }
}

type ConfirmItem = NonNullable<FlowParams['subscription_update_confirm']>['items'][number];

/** Refusals of `subscription_update_confirm` (Stripe: "Portal deep links"). @throws ApiError 400 */
function refuseItems(
  account: Account,
  { subscription_update: update }: PortalConfiguration['features'],
  subscription: Subscription,
  items: readonly ConfirmItem[],
): void {
  const param = 'flow_data[subscription_update_confirm][items]';
  const [only] = items;
  if (only === undefined || items.length > 1)
    throw invalidRequest('Exactly one item can be confirmed.', { param });
  const current = itemsOf(account, subscription).find(({ id }) => id === only.id);
  if (current === undefined) throw resourceMissing('subscription item', only.id, param);
  const price = only.price ?? current.price.id;
  if (price === current.price.id && (only.quantity ?? current.quantity) === current.quantity) {
    throw invalidRequest(`The subscription update provided has no changes to confirm.`, { param });
  }
  if (price !== current.price.id) {
    const isOffered = update.products?.some(({ prices }) => prices.includes(price)) === true;
    if (!isOffered || !update.default_allowed_updates.includes('price')) {
      throw invalidRequest(
        `The item \`${only.id}\` cannot be updated to price \`${price}\` because the configuration does not include the price in its \`features[subscription_update][products]\`.`,
        { param },
      );
    }
  }
  if (
    (only.quantity ?? current.quantity) !== current.quantity &&
    !update.default_allowed_updates.includes('quantity')
  ) {
    throw invalidRequest('Quantities cannot be updated under this configuration.', { param });
  }
}

/** The portal changes subscriptions of one item, paid by themselves, that no schedule holds (Stripe: portal limitations). @throws ApiError 400 */
function updatable(account: Account, subscription: Subscription): Subscription {
  const why =
    itemsOf(account, subscription).length > 1
      ? 'it contains multiple subscription items'
      : subscription.schedule !== null
        ? 'it is managed by a subscription schedule'
        : subscription.collection_method !== 'charge_automatically'
          ? 'its invoices are sent'
          : subscription.status !== 'active' && subscription.status !== 'trialing'
            ? `it is ${subscription.status}`
            : null;
  if (why === null) return subscription;
  throw invalidRequest(`This subscription cannot be updated because ${why}.`);
}

function subscriptionIn(account: Account, customer: string, id: string, type: string): Subscription {
  const subscription = subscriptionOf(account, id, `flow_data[${type}][subscription]`);
  if (subscription.customer !== customer || hasEnded(subscription)) {
    throw resourceMissing('subscription', id, `flow_data[${type}][subscription]`);
  }
  return subscription;
}

function given<Params>(params: Params | undefined, type: string): Params {
  if (params !== undefined) return params;
  const param = `flow_data[${type}]`;
  throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
}

function disabled(what: string): Error {
  return invalidRequest(
    `You can't create this flow because ${what} are disabled in the portal configuration.`,
  );
}
