import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, invalidRequest } from '../api-error.js';
import { cancelInPortal, changeItem, changeMethod, confirmUpdate, renewInPortal } from '../billing/portal.js';
import { hasEnded, itemsOf } from '../billing/subscription-object.js';
import { decodeForm } from '../http/form.js';
import { configurationOf } from '../resources/portal-configurations.js';
import { subscriptionOf } from '../resources/subscriptions.js';
import { tokenOfNumber } from '../test-cards.js';
import type { PortalSession, Price, Subscription } from '../types.js';
import type { PageAnswer } from './checkout-page.js';
import { escaped, money, page } from './html.js';

const form = z.object({
  action: z.enum(['confirm', 'cancel', 'renew', 'price', 'card']),
  subscription: z.string().default(''),
  price: z.string().default(''),
  card: z.string().default(''),
});
type Form = z.output<typeof form>;

/** The customer portal (`/p/session/:id`): its home, or the one thing that its flow is about. */
export function portalPage(account: Account, id: string): PageAnswer {
  const session = account.portalSessions.find(id);
  if (session === undefined)
    return { status: 404, html: page('Not found', '<h1>There is no such session</h1>') };
  return shown(account, session, null);
}

/** A button of the portal was pressed. */
export function submitPortal(account: Account, id: string, body: string): PageAnswer {
  const session = account.portalSessions.find(id);
  const given = form.safeParse(decodeForm(body));
  if (session === undefined || !given.success) return portalPage(account, id);
  try {
    act(account, session, given.data);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return shown(account, session, error.message);
  }
  const after = session.flow?.after_completion;
  if (after?.type === 'redirect' && after.redirect !== null) {
    return { status: 303, location: after.redirect.return_url };
  }
  if (after?.type === 'hosted_confirmation') {
    const message = after.hosted_confirmation?.custom_message ?? 'Done.';
    return { status: 200, html: page('Done', `<h1>${escaped(message)}</h1>${back(session)}`) };
  }
  return session.flow === null || session.return_url === null
    ? { status: 303, location: `/p/session/${id}` }
    : { status: 303, location: session.return_url };
}

function act(account: Account, session: PortalSession, { action, subscription, price, card }: Form): void {
  const confirms = session.flow?.type === 'subscription_update_confirm';
  if (confirms && action !== 'confirm') throw invalidRequest('This page is for one change alone.');
  if (action === 'confirm') {
    confirmUpdate(account, session);
    return;
  }
  if (action === 'card') {
    changeMethod(account, session, card.startsWith('pm_') ? card : (tokenOfNumber(card) ?? card));
    return;
  }
  const of = subscriptionOf(account, subscription);
  if (of.customer !== session.customer)
    throw new ApiError(404, 'invalid_request_error', 'This is not yours.');
  if (action === 'cancel') cancelInPortal(account, session, of);
  if (action === 'renew') renewInPortal(account, of);
  if (action === 'price') {
    if (!offeredIn(account, session).includes(price)) {
      throw invalidRequest('This price is not offered here.');
    }
    changeItem(account, session, of, price, undefined);
  }
}

function shown(account: Account, session: PortalSession, problem: string | null): PageAnswer {
  const alert = problem === null ? '' : `<p role="alert">${escaped(problem)}</p>`;
  const html = page('Billing', `<h1>Billing</h1>${alert}${contentOf(account, session)}${back(session)}`);
  return { status: problem === null ? 200 : 402, html };
}

function back({ return_url }: PortalSession): string {
  return return_url === null ? '' : `<p><a href="${escaped(return_url)}">Back</a></p>`;
}

function contentOf(account: Account, session: PortalSession): string {
  const { flow } = session;
  const confirm = flow?.subscription_update_confirm;
  if (confirm != null) {
    const [item] = confirm.items;
    const [current] = itemsOf(account, subscriptionOf(account, confirm.subscription));
    const price = account.prices.find(item?.price ?? '') ?? current?.price;
    if (price === undefined) return '';
    return `<p>Change to ${priceText(account, price)}</p>${button('confirm', 'Confirm', confirm.subscription)}`;
  }
  if (flow?.subscription_cancel != null) {
    return `<p>Cancel the subscription?</p>${button('cancel', 'Cancel subscription', flow.subscription_cancel.subscription)}`;
  }
  if (flow?.type === 'payment_method_update') return cardForm();
  const own = account.subscriptions.select({
    by: ['customer', session.customer],
    where: (row) => !hasEnded(row),
  });
  const { features } = configurationOf(account, session.configuration);
  const all = [...own].map((row) => subscriptionSection(account, session, row));
  return `${all.join('')}${features.payment_method_update.enabled ? cardForm() : ''}`;
}

/** Prices that people may choose by themselves. */
function offeredIn(account: Account, { configuration }: PortalSession): readonly string[] {
  const { subscription_update: update } = configurationOf(account, configuration).features;
  return update.enabled ? (update.products ?? []).flatMap(({ prices }) => prices) : [];
}

function subscriptionSection(account: Account, session: PortalSession, subscription: Subscription): string {
  const { subscription_cancel: cancel } = configurationOf(account, session.configuration).features;
  const rows = itemsOf(account, subscription).map(
    ({ price }) => `<tr><td>${priceText(account, price)}</td><td>${subscription.status}</td></tr>`,
  );
  const others = offeredIn(account, session)
    .flatMap((id) => account.prices.find(id) ?? [])
    .filter((price) => itemsOf(account, subscription).every((item) => item.price.id !== price.id))
    .map((price) => button('price', `Change to ${priceText(account, price)}`, subscription.id, price.id));
  const ending =
    subscription.cancel_at !== null
      ? button('renew', "Don't cancel", subscription.id)
      : cancel.enabled
        ? button('cancel', 'Cancel subscription', subscription.id)
        : '';
  return `<table>${rows.join('')}</table>${others.join('')}${ending}`;
}

function priceText(account: Account, price: Price): string {
  const name = account.products.find(price.product)?.name ?? price.product;
  const every = price.recurring === null ? '' : ` / ${price.recurring.interval}`;
  return `${escaped(name)}, ${money(price.unit_amount ?? 0, price.currency)}${every}`;
}

function button(action: Form['action'], label: string, subscription: string, price = ''): string {
  return `<form method="post">
<input type="hidden" name="subscription" value="${escaped(subscription)}">
<input type="hidden" name="price" value="${escaped(price)}">
<button name="action" value="${action}">${label}</button>
</form>`;
}

function cardForm(): string {
  return `<form method="post"><label>New card
<input name="card" placeholder="4242 4242 4242 4242" autocomplete="off"></label>
<button name="action" value="card" class="quiet">Update payment method</button></form>`;
}
