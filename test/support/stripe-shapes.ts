/** An item of a subscription, or a line of an invoice over it, whatever the API version; licensed and per unit unless said otherwise. */
export interface ShownItem {
  readonly price: string;
  readonly product?: string;
  readonly key?: string;
  readonly units?: number;
  /** Minor units; `null` of tiers. */
  readonly amount?: number | null;
  readonly metered?: boolean;
  readonly tiered?: boolean;
  readonly deleted?: boolean;
  /** First and last second; left out: those of what it is on. */
  readonly from?: number;
  readonly until?: number;
}

/** A line; `of` names its subscription where the invoice has none of its own. */
export interface ShownLine extends ShownItem {
  readonly amount: number;
  readonly proration?: boolean;
  /** A discount, which took nothing more, is listed on it. */
  readonly discounted?: boolean;
  readonly of?: string;
}

/** How Stripe says the same in one API version. */
export interface StripeShape {
  readonly version: string;
  readonly item: (shown: ShownItem, period: Period) => object;
  /** Fields of the subscription beside `items`. */
  readonly periodOf: (period: Period) => object;
  /** What `previous_attributes` says of the items before those that there are now. */
  readonly itemsBefore: (before: readonly ShownItem[], now: readonly ShownItem[], period: Period) => object;
  readonly line: (shown: ShownLine, at: LineAt) => object;
  /** Fields of an invoice that is of a subscription; `null`: of none. */
  readonly invoiceOf: (subscription: string | null) => object;
}

/** Unix seconds. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

interface LineAt extends Period {
  readonly id: string;
  readonly subscription: string;
}

function plan({ price, product, amount, metered, tiered }: ShownItem): object {
  return {
    id: price,
    object: 'plan',
    amount: amount === undefined ? 1000 : amount,
    amount_decimal: amount === undefined ? '1000' : amount === null ? null : String(amount),
    billing_scheme: tiered ? 'tiered' : 'per_unit',
    currency: 'usd',
    product: product ?? `prod_${price}`,
    usage_type: metered ? 'metered' : 'licensed',
  };
}

function price(shown: ShownItem): object {
  const { amount, amount_decimal, product, billing_scheme, currency, usage_type } = plan(shown) as Record<
    string,
    unknown
  >;
  return {
    id: shown.price,
    object: 'price',
    billing_scheme,
    currency,
    lookup_key: shown.key ?? null,
    product,
    recurring: { interval: 'month', usage_type },
    unit_amount: amount,
    unit_amount_decimal: amount_decimal,
  };
}

function bareItem({ price, units, metered, deleted }: ShownItem): object {
  return {
    id: `si_${price}`,
    object: 'subscription_item',
    metadata: {},
    ...(metered ? {} : { quantity: units ?? 1 }),
    ...(deleted ? { deleted: true } : {}),
  };
}

function bareLine({ amount, units, from, until }: ShownLine, at: LineAt): object {
  return {
    id: at.id,
    object: 'line_item',
    amount,
    currency: 'usd',
    period: { start: from ?? at.from, end: until ?? at.until },
    quantity: units ?? 1,
  };
}

const listed = ({ discounted }: ShownLine): object => ({
  discount_amounts: discounted ? [{ amount: 0, discount: 'di_1' }] : [],
  discounts: discounted ? ['di_1'] : [],
});

const onTheSubscription = ({ from, until }: Period): object => ({
  current_period_start: from,
  current_period_end: until,
});
const asAList = (shape: StripeShape, items: readonly ShownItem[], period: Period): object => ({
  items: { data: items.map((shown) => shape.item(shown, period)) },
});

/** Before prices: a plan on items and lines; of a single item only what differs in its plan, and its quantity, are named as before. */
export const PLANS: StripeShape = {
  version: '2020-03-02',
  item: (shown) => ({ ...bareItem(shown), plan: plan(shown) }),
  periodOf: onTheSubscription,
  itemsBefore: (before, now, period) => {
    const [[was, ...others], [is, ...more]] = [before, now];
    if (was === undefined || is === undefined || others.length + more.length > 0) {
      return asAList(PLANS, before, period);
    }
    const after = Object.entries(plan(is));
    const differing = Object.entries(plan(was)).filter(([key, value]) =>
      after.every(([name, other]) => name !== key || other !== value),
    );
    return {
      ...(differing.length > 0 ? { plan: Object.fromEntries(differing) } : {}),
      ...(was.units === is.units ? {} : { quantity: was.units ?? 1 }),
    };
  },
  line: (shown, at) => ({
    ...bareLine(shown, at),
    plan: plan(shown),
    proration: shown.proration ?? false,
    subscription: shown.of ?? at.subscription,
    type: shown.proration ? 'invoiceitem' : 'subscription',
    ...(shown.discounted ? listed(shown) : {}),
  }),
  invoiceOf: (subscription) => ({ subscription }),
};

/** Prices beside plans: what accounts of old versions are told today, too. */
const PRICES: StripeShape = {
  ...PLANS,
  version: '2020-08-27',
  item: (shown) => ({ ...bareItem(shown), plan: plan(shown), price: price(shown) }),
  itemsBefore: (before, _, period) => asAList(PRICES, before, period),
  line: (shown, at) => ({ ...PLANS.line(shown, at), price: price(shown), ...listed(shown) }),
};

const LATER_PRICES: StripeShape = {
  ...PRICES,
  version: '2022-11-15',
  line: (shown, at) => ({
    ...PRICES.line(shown, at),
    amount_excluding_tax: shown.amount,
    proration_details: { credited_items: null },
  }),
};

const WITH_CREDITS: StripeShape = {
  ...LATER_PRICES,
  version: '2024-09-30.acacia',
  line: (shown, at) => ({ ...LATER_PRICES.line(shown, at), pretax_credit_amounts: [] }),
};

/** Periods on items, and what an invoice and a line are of in `parent`. */
const PARENTS: StripeShape = {
  version: '2025-03-31.basil',
  item: (shown, { from, until }) => ({
    ...bareItem(shown),
    current_period_start: shown.from ?? from,
    current_period_end: shown.until ?? until,
    plan: plan(shown),
    price: price(shown),
  }),
  periodOf: () => ({}),
  itemsBefore: (before, _, period) => asAList(PARENTS, before, period),
  line: (shown, at) => ({
    ...bareLine(shown, at),
    ...listed(shown),
    pretax_credit_amounts: [],
    parent: lineParent(shown, at),
    pricing: {
      type: 'price_details',
      price_details: { price: shown.price, product: shown.product ?? `prod_${shown.price}` },
    },
  }),
  invoiceOf: (subscription) => ({
    parent:
      subscription === null
        ? null
        : { type: 'subscription_details', subscription_details: { metadata: {}, subscription } },
  }),
};

/** Lines tell their subtotal; a price is expanded. */
export const NEWEST: StripeShape = {
  ...PARENTS,
  version: '2026-10-28.endive',
  line: (shown, at) => ({
    ...PARENTS.line(shown, at),
    subtotal: shown.amount,
    pricing: { type: 'price_details', price_details: { price: price(shown), product: shown.product } },
  }),
};

function lineParent({ of, proration }: ShownLine, { subscription }: LineAt): object {
  const details = { proration: proration ?? false, subscription: of ?? subscription };
  return of === undefined
    ? { type: 'subscription_item_details', subscription_item_details: details }
    : { type: 'invoice_item_details', invoice_item_details: details };
}

/** What is told of a subscription; `more` are fields that are alike in every shape, over those given. */
export interface SubscriptionContent {
  readonly id: string;
  readonly customer: string;
  readonly items: readonly ShownItem[];
  readonly period: Period;
  readonly more?: object;
}

/** A subscription as an API version shows it: active, charged by itself, with nothing pending, unless said otherwise. */
export function subscriptionIn(
  shape: StripeShape,
  { id, customer, items, period, more }: SubscriptionContent,
): object {
  return {
    id,
    object: 'subscription',
    customer,
    status: 'active',
    items: {
      object: 'list',
      data: items.map((item) => shape.item(item, period)),
      has_more: false,
      total_count: items.length,
    },
    metadata: {},
    cancel_at: null,
    cancel_at_period_end: false,
    collection_method: 'charge_automatically',
    pause_collection: null,
    pending_update: null,
    trial_end: null,
    ...shape.periodOf(period),
    ...more,
  };
}

/** What is told of an invoice: its `subscription`, `null` of none itself, and lines over the period. */
export interface InvoiceContent {
  readonly id: string;
  readonly customer: string;
  readonly subscription: string | null;
  /** The subscription of its lines. */
  readonly linesOf: string;
  readonly created: number;
  readonly lines: readonly ShownLine[];
  readonly period: Period;
  readonly more?: object;
}

/** An invoice as an API version shows it: paid at the first attempt, unless said otherwise. */
export function invoiceIn(shape: StripeShape, shown: InvoiceContent): object {
  const { id, customer, subscription, linesOf, created, lines, period, more } = shown;
  return {
    id,
    object: 'invoice',
    customer,
    status: 'paid',
    created,
    collection_method: 'charge_automatically',
    attempt_count: 1,
    currency: 'usd',
    ...shape.invoiceOf(subscription),
    lines: {
      object: 'list',
      data: lines.map((line, n) =>
        shape.line(line, { id: `il_${id}_${n}`, subscription: linesOf, ...period }),
      ),
      has_more: false,
    },
    ...more,
  };
}

/** The shapes of Stripe's API, oldest first, and some by turns; by name. */
export const STRIPE_SHAPES: ReadonlyMap<string, readonly [StripeShape, ...StripeShape[]]> = new Map(
  (
    [
      [PLANS],
      [PRICES],
      [LATER_PRICES],
      [WITH_CREDITS],
      [PARENTS],
      [NEWEST],
      [PLANS, NEWEST],
      [NEWEST, PRICES],
      [PARENTS, PLANS, WITH_CREDITS],
    ] as const
  ).map((shapes) => [shapes.map(({ version }) => version).join(' and '), shapes]),
);

/** Whether shapes tell lookup keys: those with prices do. */
export function hasLookupKeys(shapes: readonly StripeShape[]): boolean {
  return !shapes.includes(PLANS);
}
