import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { PortalConfiguration } from '../types.js';

/** Products that a configuration may offer (Stripe: "Create a portal configuration"). */
const MOST_PRODUCTS = 10;

const proration_behavior = z.enum(['always_invoice', 'create_prorations', 'none']).optional();

const features = z.strictObject({
  customer_update: z
    .strictObject({
      allowed_updates: p
        .emptyable(z.array(z.enum(['address', 'email', 'name', 'phone', 'shipping', 'tax_id'])))
        .optional(),
      enabled: p.boolean,
    })
    .optional(),
  invoice_history: z.strictObject({ enabled: p.boolean }).optional(),
  payment_method_update: z
    .strictObject({ enabled: p.boolean, payment_method_configuration: p.ignored })
    .optional(),
  subscription_cancel: z
    .strictObject({
      cancellation_reason: p.ignored,
      enabled: p.boolean,
      mode: z.enum(['at_period_end', 'immediately']).optional(),
      proration_behavior,
    })
    .optional(),
  subscription_pause: p.ignored,
  subscription_update: z
    .strictObject({
      billing_cycle_anchor: z.enum(['now', 'unchanged']).optional(),
      default_allowed_updates: p
        .emptyable(z.array(z.enum(['price', 'promotion_code', 'quantity'])))
        .optional(),
      enabled: p.boolean,
      products: p
        .emptyable(
          z.array(
            z.strictObject({ product: p.text, prices: z.array(p.text), adjustable_quantity: p.ignored }),
          ),
        )
        .optional(),
      proration_behavior,
      schedule_at_period_end: z
        .strictObject({
          conditions: z
            .array(z.strictObject({ type: z.enum(['decreasing_item_amount', 'shortening_interval']) }))
            .optional(),
        })
        .optional(),
      trial_update_behavior: z.enum(['continue_trial', 'end_trial']).optional(),
    })
    .optional(),
});
type Features = z.output<typeof features>;

const common = {
  business_profile: p.ignored,
  default_return_url: p.emptyable(p.text).optional(),
  login_page: p.ignored,
  metadata: p.emptyable(p.metadata).optional(),
  name: p.emptyable(p.text).optional(),
  expand: p.expand,
};

/** `/v1/billing_portal/configurations`: what customers may change by themselves. The first one made is the default. */
export function portalConfigurationRoutes(router: Router, account: Account): void {
  const { portalConfigurations } = account;
  const path = '/v1/billing_portal/configurations';
  router.on('POST', path, z.strictObject({ ...common, features }), (params) => {
    const configuration: PortalConfiguration = {
      id: account.ids.next('bpc'),
      object: 'billing_portal.configuration',
      active: true,
      application: null,
      business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
      created: account.now,
      default_return_url: params.default_return_url ?? null,
      features: featuresOf(account, params.features, NO_FEATURES),
      is_default: portalConfigurations.size === 0,
      livemode: false,
      login_page: { enabled: false, url: null },
      metadata: params.metadata ?? {},
      name: params.name ?? null,
      updated: account.now,
    };
    return account.add(portalConfigurations, configuration, 'billing_portal.configuration.created');
  });
  const list = z.strictObject({
    ...p.cursor,
    active: p.boolean.optional(),
    is_default: p.boolean.optional(),
  });
  router.on('GET', path, list, (params) =>
    listOf(path, portalConfigurations, params, {
      where: (row) =>
        (params.active === undefined || row.active === params.active) &&
        (params.is_default === undefined || row.is_default === params.is_default),
    }),
  );
  const one = z.strictObject({ expand: p.expand });
  router.on('GET', `${path}/:id`, one, (_, { id }) => configurationOf(account, id));
  const update = z.strictObject({ ...common, active: p.boolean.optional(), features: features.optional() });
  router.on('POST', `${path}/:id`, update, (params, { id }) => {
    const before = configurationOf(account, id);
    const changes = {
      active: params.active ?? before.active,
      default_return_url:
        params.default_return_url === undefined ? before.default_return_url : params.default_return_url,
      features:
        params.features === undefined
          ? before.features
          : featuresOf(account, params.features, before.features),
      metadata: p.mergeMetadata(before.metadata ?? {}, params.metadata),
      name: params.name === undefined ? before.name : params.name,
      updated: account.now,
    };
    return account.change(portalConfigurations, id, changes, 'billing_portal.configuration.updated');
  });
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function configurationOf(account: Account, id: string, param = 'id'): PortalConfiguration {
  const configuration = account.portalConfigurations.find(id);
  if (configuration === undefined) throw resourceMissing('configuration', id, param);
  return configuration;
}

const NO_FEATURES: PortalConfiguration['features'] = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [] },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: [],
    enabled: false,
    products: null,
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
};

/** Features as they are set, over what they were. @throws ApiError 400 */
function featuresOf(
  account: Account,
  set: Features,
  before: PortalConfiguration['features'],
): PortalConfiguration['features'] {
  const { subscription_cancel: cancel, subscription_update: update } = set;
  const was = before.subscription_update;
  return {
    customer_update:
      set.customer_update === undefined
        ? before.customer_update
        : {
            allowed_updates: set.customer_update.allowed_updates ?? before.customer_update.allowed_updates,
            enabled: set.customer_update.enabled,
          },
    invoice_history: set.invoice_history ?? before.invoice_history,
    payment_method_update: {
      ...before.payment_method_update,
      enabled: set.payment_method_update?.enabled ?? before.payment_method_update.enabled,
    },
    subscription_cancel: {
      ...before.subscription_cancel,
      enabled: cancel?.enabled ?? before.subscription_cancel.enabled,
      mode: cancel?.mode ?? before.subscription_cancel.mode,
      proration_behavior: cancel?.proration_behavior ?? before.subscription_cancel.proration_behavior,
    },
    subscription_pause: before.subscription_pause,
    subscription_update: {
      billing_cycle_anchor: update?.billing_cycle_anchor ?? was.billing_cycle_anchor,
      default_allowed_updates: update?.default_allowed_updates ?? was.default_allowed_updates,
      enabled: update?.enabled ?? was.enabled,
      products: update?.products == null ? (was.products ?? null) : productsOf(account, update.products),
      proration_behavior: update?.proration_behavior ?? was.proration_behavior,
      schedule_at_period_end: {
        conditions: update?.schedule_at_period_end?.conditions ?? was.schedule_at_period_end.conditions,
      },
      trial_update_behavior: update?.trial_update_behavior ?? was.trial_update_behavior,
    },
  };
}

type Product = NonNullable<PortalConfiguration['features']['subscription_update']['products']>[number];

function productsOf(
  account: Account,
  products: readonly { readonly product: string; readonly prices: readonly string[] }[],
): readonly Product[] {
  const param = 'features[subscription_update][products]';
  if (products.length > MOST_PRODUCTS) {
    throw invalidRequest(`You can only specify up to ${MOST_PRODUCTS} products.`, { param });
  }
  return products.map(({ product, prices }) => {
    for (const id of prices) {
      if (account.prices.find(id)?.product !== product) throw resourceMissing('price', id, param);
    }
    return { product, prices, adjustable_quantity: { enabled: false, maximum: null, minimum: 1 } };
  });
}
