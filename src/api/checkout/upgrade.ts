import { z } from 'zod';
import { ProblemError } from '../../http/problem.js';
import { upgradeMark } from '../../reactions/checkout/ended-by-payment.js';
import type { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { StripeRefusedError } from '../../stripe/gateway/written.js';
import type { CheckoutRequest, CheckoutResponse } from './checkout.schemas.js';
import { sha256 } from './customer-of-user.js';
import { type Held, idOf, type StripeSubscription, stripeSubscription } from './held.js';
import { METADATA } from './session-params.js';
import { idOnly, writtenAs } from './stripe-writes.js';
import type { HeldLock } from './user-lock.js';
import { addonUnits, pricedUnits, type Wanted } from './wanted.js';

type Gateway = Pick<StripeGateway, 'write'>;

/** An upgrade of a subscription that runs: it stays one subscription, and its new terms hold once they are paid. */
export interface Upgrade {
  readonly request: CheckoutRequest;
  readonly wanted: Wanted;
  readonly held: Held;
  readonly checkout: string;
  readonly userIdKey: string;
}

const portalSession = z.looseObject({ id: z.string(), url: z.string() });

/**
 * Begins an upgrade. One item goes through Stripe's portal, where the bank may ask; what the portal refuses (several items, a
 * schedule, sent invoices; Stripe: "Customer portal", limitations) is changed through the API.
 * @throws StripeRefusedError, StripeUnansweredError, ProblemError `checkout_completed`
 */
export async function beginUpgrade(
  gateway: Gateway,
  configurations: Pick<PortalConfigurations, 'upgrade'>,
  upgrade: Upgrade,
  lock: HeldLock,
): Promise<CheckoutResponse> {
  const { held } = upgrade;
  const { subscription } = held;
  if (subscription.pending_update != null) {
    const waiting = await pendingInvoice(gateway, upgrade, lock);
    if (waiting !== null) return waiting;
  }
  await lock.confirm();
  await mark(gateway, upgrade);
  return mayUsePortal(upgrade) ? inPortal(gateway, configurations, upgrade) : throughApi(gateway, upgrade);
}

function mayUsePortal({ held, wanted }: Upgrade): boolean {
  const { subscription, items, planItem } = held;
  return (
    items.length === 1 &&
    planItem !== null &&
    wanted.addons.length === 0 &&
    subscription.schedule == null &&
    subscription.collection_method === 'charge_automatically'
  );
}

/** Says on the subscription what was begun, before it is: neither the portal nor a pending update can carry metadata. */
async function mark(gateway: Gateway, upgrade: Upgrade): Promise<void> {
  const { held, checkout, request, userIdKey } = upgrade;
  const { id, metadata } = held.subscription;
  const marks = {
    [METADATA.upgrade]: upgradeMark(upgrade.wanted.price.id, upgrade.wanted.quantity),
    [METADATA.choice]: itemsKey(upgrade),
  };
  const isMarked = Object.entries(marks).every(([key, value]) => metadata?.[key] === value);
  const isFollowed = metadata?.[METADATA.followed] === metadata?.[METADATA.checkout];
  if (isMarked && !isFollowed) return;
  await writtenAs(
    gateway,
    {
      method: 'POST',
      path: `/v1/subscriptions/${encodeURIComponent(id)}`,
      params: {
        metadata: {
          [userIdKey]: request.userId,
          [METADATA.reason]: 'upgrade',
          [METADATA.checkout]: checkout,
          ...marks,
        },
      },
      idempotencyKey: `tenure-mark-${checkout}`,
    },
    idOnly,
  );
}

async function inPortal(
  gateway: Gateway,
  configurations: Pick<PortalConfigurations, 'upgrade'>,
  upgrade: Upgrade,
): Promise<CheckoutResponse> {
  const { request, wanted, held, checkout } = upgrade;
  const { planItem, subscription } = held;
  if (planItem === null) throw new Error('a subscription without a plan is changed through the API');
  const { id, product } = wanted.price;
  const configuration = await configurations.upgrade({ prices: [{ id, product }], quantity: 'may change' });
  const params = {
    customer: idOf(subscription.customer),
    configuration,
    return_url: request.cancelUrl,
    flow_data: {
      type: 'subscription_update_confirm',
      after_completion: { type: 'redirect', redirect: { return_url: request.successUrl } },
      subscription_update_confirm: {
        subscription: subscription.id,
        items: [{ id: planItem.item.id, ...pricedUnits(wanted) }],
      },
    },
  };
  const session = await writtenAs(
    gateway,
    {
      method: 'POST',
      path: '/v1/billing_portal/sessions',
      params,
      idempotencyKey: `tenure-portal-${checkout}`,
    },
    portalSession,
  );
  return { kind: 'portal', sessionId: session.id, url: session.url, clientSecret: null, expiresAt: null };
}

/** Items after the upgrade, each that there is named: what is left out of them Stripe would keep as it is. */
export function itemsAfter({ held, wanted }: Pick<Upgrade, 'held' | 'wanted'>): readonly object[] {
  const left = [...wanted.addons];
  const items = held.items.map(({ item, target }): object => {
    if (item === held.planItem?.item) {
      return { id: item.id, ...pricedUnits(wanted) };
    }
    if (target?.kind !== 'addon') return { id: item.id };
    const at = left.findIndex(({ addon }) => addon === target.addon.name);
    const [kept] = at < 0 ? [] : left.splice(at, 1);
    return kept === undefined ? { id: item.id, deleted: true } : { id: item.id, ...addonUnits(kept) };
  });
  const plan = held.planItem === null ? [pricedUnits(wanted)] : [];
  return [...items, ...plan, ...left.map(addonUnits)];
}

/** Tells changes of a subscription apart, add-ons included. */
function itemsKey(upgrade: Pick<Upgrade, 'held' | 'wanted'>): string {
  return sha256([JSON.stringify(itemsAfter(upgrade))]);
}

async function throughApi(gateway: Gateway, upgrade: Upgrade): Promise<CheckoutResponse> {
  const { held } = upgrade;
  const before = held.subscription;
  const items = itemsAfter(upgrade);
  const isSent = before.collection_method === 'send_invoice';
  const changed = await writtenAs(
    gateway,
    {
      method: 'POST',
      path: `/v1/subscriptions/${encodeURIComponent(before.id)}`,
      params: {
        items,
        proration_behavior: 'always_invoice',
        // Sent invoices know no pending update (Stripe: "Pending updates"): what they ask for waits by the access policy.
        ...(isSent ? {} : { payment_behavior: 'pending_if_incomplete' }),
        expand: ['latest_invoice'],
      },
      // Of the terms it begins from: repeated after a lost reply it is the same change, and later another one.
      idempotencyKey: `tenure-upgrade-${sha256([before.id, JSON.stringify(items), JSON.stringify(before.items.data.map(({ id, quantity, price }) => [id, price.id, quantity])), String(invoiceIdOf(before))])}`,
    },
    stripeSubscription,
  );
  return followed(before, changed);
}

function followed(before: StripeSubscription, after: StripeSubscription): CheckoutResponse {
  const invoice = after.latest_invoice;
  const isNew = invoice != null && idOf(invoice) !== invoiceIdOf(before);
  if (!isNew || typeof invoice === 'string') return done(null);
  if (after.pending_update == null && invoice.status !== 'open') return done(invoice.id);
  return toPay(invoice, after.pending_update?.expires_at ?? null);
}

/** The invoice of a change that waits already: the same change is followed on, another one is given up first. */
async function pendingInvoice(
  gateway: Gateway,
  upgrade: Upgrade,
  lock: HeldLock,
): Promise<CheckoutResponse | null> {
  const { subscription } = upgrade.held;
  const { latest_invoice: invoice, metadata, pending_update: pending } = subscription;
  if (invoice == null || typeof invoice === 'string') return null;
  if (metadata?.[METADATA.choice] === itemsKey(upgrade) && invoice.status === 'open') {
    return toPay(invoice, pending?.expires_at ?? null);
  }
  if (invoice.status === 'open') {
    await lock.confirm();
    await writtenAs(
      gateway,
      {
        method: 'POST',
        path: `/v1/invoices/${encodeURIComponent(invoice.id)}/void`,
        idempotencyKey: `tenure-void-${invoice.id}`,
      },
      idOnly,
    ).catch((error: unknown) => {
      if (!(error instanceof StripeRefusedError)) throw error;
      throw new ProblemError(
        'checkout_completed',
        'The change that waited has just been paid. Send the same request again.',
        { 'retry-after': '2' },
        { cause: error },
      );
    });
  }
  return null;
}

function toPay(
  { id, hosted_invoice_url: url }: Exclude<StripeSubscription['latest_invoice'], string | null | undefined>,
  expiresAt: number | null,
): CheckoutResponse {
  const expires = expiresAt === null ? null : new Date(expiresAt * 1_000).toISOString();
  return { kind: 'invoice', sessionId: id, url: url ?? null, clientSecret: null, expiresAt: expires };
}

function done(sessionId: string | null): CheckoutResponse {
  return { kind: 'done', sessionId, url: null, clientSecret: null, expiresAt: null };
}

function invoiceIdOf({ latest_invoice: invoice }: StripeSubscription): string | null {
  return invoice == null ? null : idOf(invoice);
}
