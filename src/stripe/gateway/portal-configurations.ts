import { z } from 'zod';
import { canonicalJson, sha256Hex } from '../../events/canonical-json.js';
import type { StripeGateway } from './stripe.gateway.js';
import { allListed } from './stripe-lists.js';
import { written } from './written.js';

/** Marks a configuration as Tenure's, and tells what it allows. */
const METADATA_KEY = 'tenure_portal';
const PATH = '/v1/billing_portal/configurations';
/** Milliseconds for which a configuration that was found is taken to be as it was. */
const TRUSTED_MS = 10 * 60_000;

/** A price that people may move to in the portal. */
export interface OfferedPrice {
  readonly id: string;
  readonly product: string;
}

/** What people may change about a subscription in the portal. Prices and quantities are never changed by browsing in it. */
export interface OfferedUpdate {
  readonly prices: readonly OfferedPrice[];
  readonly quantity: 'kept' | 'may change';
}

const configurationSchema = z.looseObject({
  id: z.string(),
  active: z.boolean(),
  metadata: z.record(z.string(), z.string()).nullish(),
  features: z.looseObject({
    invoice_history: z.looseObject({ enabled: z.boolean() }),
    payment_method_update: z.looseObject({ enabled: z.boolean() }),
    subscription_cancel: z.looseObject({ enabled: z.boolean(), mode: z.string() }),
    subscription_update: z.looseObject({
      enabled: z.boolean(),
      default_allowed_updates: z.array(z.string()),
      products: z.array(z.looseObject({ product: z.string(), prices: z.array(z.string()) })).nullish(),
      proration_behavior: z.string(),
      trial_update_behavior: z.string().nullish(),
    }),
  }),
});
type Configuration = z.infer<typeof configurationSchema>;

/** What a configuration allows, as Stripe's API takes it (Stripe: "Create a portal configuration", `features`). */
interface Features {
  readonly invoice_history: { readonly enabled: boolean };
  readonly payment_method_update: { readonly enabled: boolean };
  readonly subscription_cancel: { readonly enabled: boolean; readonly mode: string };
  readonly subscription_update:
    | { readonly enabled: false }
    | {
        readonly enabled: true;
        readonly default_allowed_updates: readonly string[];
        readonly products: readonly { readonly product: string; readonly prices: readonly string[] }[];
        readonly proration_behavior: string;
        readonly trial_update_behavior: string;
      };
}

/** Features of the plain portal: pay, cancel at the period's end and resume, change cards; no plan and no quantity. */
const PLAIN: Features = {
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true, mode: 'at_period_end' },
  subscription_update: { enabled: false },
};

/**
 * Tenure's own configurations of Stripe's customer portal, each known by what it allows: one that allows something else, as
 * after a publication of another catalogue, is another one. What somebody changed in one is set right when it is next used.
 */
export class PortalConfigurations {
  readonly #known = new Map<string, { readonly id: Promise<string>; readonly until: number }>();

  /** `now`: Unix milliseconds. */
  constructor(
    private readonly gateway: Pick<StripeGateway, 'page' | 'write'>,
    private readonly now: () => number,
  ) {}

  /** The configuration in which people pay, cancel, resume and change cards. @throws StripeRefusedError, StripeUnansweredError */
  plain(): Promise<string> {
    return this.#of(PLAIN);
  }

  /**
   * The configuration for `subscription_update_confirm` to one of these prices, invoiced at once; nothing else can be done in
   * it. @throws StripeRefusedError, StripeUnansweredError
   */
  upgrade({ prices, quantity }: OfferedUpdate): Promise<string> {
    const products = new Map<string, string[]>();
    for (const { product, id } of prices) products.set(product, [...(products.get(product) ?? []), id]);
    return this.#of({
      invoice_history: { enabled: false },
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: false, mode: 'at_period_end' },
      subscription_update: {
        enabled: true,
        default_allowed_updates: quantity === 'kept' ? ['price'] : ['price', 'quantity'],
        products: [...products]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([product, ids]) => ({ product, prices: [...new Set(ids)].sort() })),
        proration_behavior: 'always_invoice',
        trial_update_behavior: 'continue_trial',
      },
    });
  }

  #of(features: Features): Promise<string> {
    const key = sha256Hex(canonicalJson(features)).slice(0, 32);
    const known = this.#known.get(key);
    if (known !== undefined && this.now() < known.until) return known.id;
    const id = this.#find(key, features);
    const found = { id, until: this.now() + TRUSTED_MS };
    this.#known.set(key, found);
    id.catch(() => {
      // Whoever asked hears why. One that was found since stays.
      if (this.#known.get(key) === found) this.#known.delete(key);
    });
    return id;
  }

  /** Its id; it is made where there is none, and set right where it allows something else. */
  async #find(key: string, features: Features): Promise<string> {
    const all = await allListed(this.gateway, PATH);
    const own = all
      .map((object) => configurationSchema.parse(object))
      .filter(({ metadata }) => metadata?.[METADATA_KEY] === key)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const found = own.find(({ active }) => active);
    if (found === undefined) {
      const made = await written(this.gateway, {
        method: 'POST',
        path: PATH,
        params: { features, metadata: { [METADATA_KEY]: key } },
        // One that somebody switched off would come back by the key that made it.
        idempotencyKey: `tenure/portal/${[key, ...own.map(({ id }) => id).slice(-1)].join('/')}`,
      });
      return configurationSchema.parse(made.object).id;
    }
    if (!allows(found, features)) {
      await written(this.gateway, {
        method: 'POST',
        path: `${PATH}/${encodeURIComponent(found.id)}`,
        params: { features },
        // What it is set right from is part of the key: it may be changed the same way twice.
        idempotencyKey: `tenure/portal/${found.id}/${sha256Hex(canonicalJson(found)).slice(0, 32)}`,
      });
    }
    return found.id;
  }
}

/** Whether a configuration allows just that. */
function allows({ features: is }: Configuration, wanted: Features): boolean {
  const [has, wants] = [is.subscription_update, wanted.subscription_update];
  const isSame =
    is.invoice_history.enabled === wanted.invoice_history.enabled &&
    is.payment_method_update.enabled === wanted.payment_method_update.enabled &&
    is.subscription_cancel.enabled === wanted.subscription_cancel.enabled &&
    is.subscription_cancel.mode === wanted.subscription_cancel.mode &&
    has.enabled === wants.enabled;
  if (!isSame || !wants.enabled) return isSame;
  const productsOf = (products: typeof wants.products): string =>
    canonicalJson(
      products
        .map(({ product, prices }) => ({ product, prices: [...prices].sort() }))
        .sort((a, b) => (a.product < b.product ? -1 : 1)),
    );
  return (
    [...has.default_allowed_updates].sort().join() === wants.default_allowed_updates.join() &&
    productsOf(has.products ?? []) === productsOf(wants.products) &&
    has.proration_behavior === wants.proration_behavior &&
    has.trial_update_behavior === wants.trial_update_behavior
  );
}
