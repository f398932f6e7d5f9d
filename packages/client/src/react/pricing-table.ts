import { createElement as h, type ReactNode, useId, useState } from 'react';
import { asTenureError, type TenureError } from '../browser/errors.js';
import type { Checkout, Plan, PlanPrice, Plans } from '../browser/plans.js';
import { useEntitlements, usePlans } from './hooks.js';
import { formatPrice } from './price.js';
import { useTenure } from './provider.js';

/** One plan of the table, for a render function. */
export interface ShownPlan {
  readonly plan: Plan;
  /** Price of the interval that is shown; `null` of the default plan. */
  readonly price: PlanPrice | null;
  /** Price as text, such as `$10`; `null` as long as it is not known. */
  readonly amount: string | null;
  readonly isCurrent: boolean;
  /** A purchase is being begun: buttons rest meanwhile. */
  readonly isBusy: boolean;
  /** Begins to buy it. */
  readonly choose: () => void;
}

export interface PricingTableProps {
  /** Answer of the service's own `GET /v1/plans`, when a server has put it into the page; else it is asked for. */
  readonly plans?: Plans;
  /** The label of the prices that are shown; the first label that there is by default. */
  readonly interval?: string;
  /** Where the browser comes back to; with `{CHECKOUT_SESSION_ID}` in it as Stripe has it. */
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Goes to the page of Stripe that it is given, by default. */
  readonly onCheckout?: (checkout: Checkout) => void;
  readonly locale?: string;
  /** Words in place of the English ones. */
  readonly words?: Partial<typeof WORDS>;
  /** What plans, features, limits and the intervals of Stripe are called, by their keys. */
  readonly names?: Readonly<Record<string, string>>;
  /** Renders one plan in place of the table's own way. */
  readonly children?: (plan: ShownPlan) => ReactNode;
}

const WORDS = {
  choose: 'Choose',
  current: 'Current plan',
  free: 'Free',
  unlimited: 'unlimited',
  loading: 'Loading plans',
  failed: 'This did not work. Please try again.',
};

/** What can be bought, without any style: a list whose items carry `data-plan`, `data-current` and `data-price`. */
export function PricingTable(props: PricingTableProps): ReactNode {
  const { interval, locale = 'en', names = {}, children } = props;
  const client = useTenure();
  const { snapshot } = useEntitlements();
  const { status, plans } = usePlans(props.plans);
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<TenureError | null>(null);
  const id = useId();
  const words = { ...WORDS, ...props.words };
  const nameOf = (key: string) => names[key] ?? key;

  if (status === 'loading') return h('p', { 'aria-busy': true }, words.loading);
  const label = interval ?? plans.flatMap(({ prices }) => Object.keys(prices))[0];
  const choose = async (plan: Plan) => {
    if (label === undefined || busy !== null) return;
    setBusy(plan.plan);
    setFault(null);
    try {
      const { successUrl, cancelUrl } = props;
      const checkout = await client.checkout({ plan: plan.plan, interval: label, successUrl, cancelUrl });
      if (props.onCheckout !== undefined) props.onCheckout(checkout);
      else if (checkout.url !== null) goTo(checkout.url);
    } catch (error) {
      setFault(asTenureError(error));
    } finally {
      setBusy(null);
    }
  };
  const offered = plans.flatMap((plan): ShownPlan[] => {
    const price = (label === undefined ? undefined : plan.prices[label]) ?? null;
    if (!plan.isDefault && (!plan.sellable || price === null)) return [];
    const amount = price === null ? words.free : formatPrice(price, locale);
    const isCurrent = snapshot?.plan === plan.plan;
    return [{ plan, price, amount, isCurrent, isBusy: busy !== null, choose: () => void choose(plan) }];
  });
  const items = offered.map((one) =>
    h(
      'li',
      { key: one.plan.plan, 'data-plan': one.plan.plan, 'data-current': one.isCurrent },
      children === undefined ? ownWay(one, `${id}${one.plan.plan}`, words, nameOf) : children(one),
    ),
  );
  const hasFailed = fault !== null || status === 'error';
  return h(
    'div',
    { 'aria-busy': busy !== null },
    hasFailed ? h('p', { role: 'alert' }, words.failed) : null,
    // Lists without markers are no lists to some screen readers, unless they say so.
    h('ul', { role: 'list' }, ...items),
  );
}

function ownWay(
  shown: ShownPlan,
  id: string,
  words: typeof WORDS,
  nameOf: (key: string) => string,
): ReactNode {
  const { plan, price, amount, isCurrent, isBusy, choose } = shown;
  const limits = Object.entries(plan.limits).map(
    ([key, limit]) => `${nameOf(key)}: ${limit === 'unlimited' ? words.unlimited : limit}`,
  );
  const per = price === null || price.interval === null ? null : ` / ${intervalText(price, nameOf)}`;
  const gives = [...plan.features.map(nameOf), ...limits];
  const button = isCurrent
    ? h('p', { 'data-current-plan': true }, words.current)
    : price === null
      ? null
      : h(
          'button',
          { type: 'button', disabled: isBusy, onClick: choose, 'aria-describedby': id },
          words.choose,
        );
  return [
    h('h3', { key: 'name', id }, nameOf(plan.plan)),
    h('p', { key: 'price', 'data-price': true }, amount, per),
    h(
      'ul',
      { key: 'gives', role: 'list' },
      gives.map((text) => h('li', { key: text }, text)),
    ),
    h('div', { key: 'choice' }, button),
  ];
}

function intervalText({ interval, intervalCount }: PlanPrice, nameOf: (key: string) => string): string {
  const one = nameOf(interval ?? '');
  return intervalCount === null || intervalCount === 1 ? one : `${intervalCount} ${one}`;
}

/** The browser's address bar, which Node's types do not know. */
function goTo(url: string): void {
  const { location } = globalThis as unknown as { location?: { assign(url: string): void } };
  location?.assign(url);
}
