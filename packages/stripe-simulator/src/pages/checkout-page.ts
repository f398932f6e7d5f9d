import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import { completeCheckout } from '../billing/checkout.js';
import { decodeForm } from '../http/form.js';
import { sessionOf } from '../resources/checkout-sessions.js';
import { TEST_METHODS, tokenOfNumber } from '../test-cards.js';
import type { CheckoutSession } from '../types.js';
import { escaped, money, page } from './html.js';

/** What a page answers: HTML, or where to go on. */
export type PageAnswer =
  | { readonly status: 200 | 402 | 404 | 410; readonly html: string }
  | { readonly status: 303; readonly location: string };

const form = z.object({
  email: z.string().default(''),
  name: z.string().default(''),
  card: z.string().default(''),
  promotion_code: z.string().default(''),
  authentication: z.enum(['', 'succeeded', 'failed']).default(''),
});
type Form = z.output<typeof form>;

const EMPTY: Form = form.parse({});

/** The hosted page of a session (`/c/pay/:id`): what is bought, a card, and what the bank asks. */
export function checkoutPage(account: Account, id: string): PageAnswer {
  const session = account.checkoutSessions.find(id);
  if (session === undefined) return { status: 404, html: page('Not found', '<h1>Nothing is sold here</h1>') };
  return shown(account, session, EMPTY, null);
}

/** The page was sent: it goes on to the success page, or says what is wrong. */
export function submitCheckout(account: Account, id: string, body: string): PageAnswer {
  const session = account.checkoutSessions.find(id);
  if (session === undefined) return checkoutPage(account, id);
  const given = form.parse(decodeForm(body));
  if (session.status === 'complete') return { status: 303, location: successOf(session) };
  if (session.status !== 'open') return shown(account, session, given, null);
  const token = given.card.startsWith('pm_') ? given.card : tokenOfNumber(given.card);
  const code = given.promotion_code.trim();
  const promotion = code === '' ? null : codeOf(account, code);
  if (promotion === undefined) return shown(account, session, given, 'This code is invalid.');
  if (token === null && (given.card !== '' || asksForMethod(session))) {
    return shown(account, session, given, 'Your card number is incorrect.');
  }
  const test = token === null ? undefined : TEST_METHODS[token];
  if (test?.kind === 'card' && test.authentication !== 'none' && given.authentication === '') {
    return { status: 200, html: authenticationPage(session, given) };
  }
  try {
    const completed = completeCheckout(account, session, {
      token,
      email: given.email === '' ? null : given.email,
      name: given.name === '' ? null : given.name,
      authentication: given.authentication === 'failed' ? 'failed' : 'succeeded',
      promotionCode: promotion,
    });
    return { status: 303, location: successOf(completed) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return shown(account, sessionOf(account, id), given, error.message);
  }
}

function successOf({ success_url, id }: CheckoutSession): string {
  return (success_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', id);
}

/** The id of an active code, `undefined` for none. */
function codeOf(account: Account, code: string): string | undefined {
  const active = account.promotionCodes.select({
    where: (row) => row.active && row.code.toLowerCase() === code.toLowerCase(),
  });
  return active.next().value?.id;
}

function asksForMethod(session: CheckoutSession): boolean {
  if (session.mode === 'setup' || session.payment_status === 'unpaid') return true;
  return session.mode === 'subscription' && session.payment_method_collection === 'always';
}

function shown(account: Account, session: CheckoutSession, given: Form, problem: string | null): PageAnswer {
  if (session.status === 'complete') return { status: 303, location: successOf(session) };
  if (session.status === 'expired') {
    return { status: 410, html: page('Expired', '<h1>This checkout has expired</h1>') };
  }
  const lines = (account.checkoutDetails.get(session.id)?.lineItems ?? []).map(
    (line) =>
      `<tr><td>${line.quantity ?? ''} × ${escaped(line.description ?? '')}</td><td>${money(line.amount_total, line.currency)}</td></tr>`,
  );
  const total =
    session.amount_total === null
      ? ''
      : `<tr><td>Due today</td><td>${money(session.amount_total, session.currency ?? 'usd')}</td></tr>`;
  const codes =
    session.allow_promotion_codes === true ? input('promotion_code', 'Promotion code', given) : '';
  const html = page(
    'Checkout',
    `<h1>Checkout</h1>
${problem === null ? '' : `<p role="alert">${escaped(problem)}</p>`}
<table>${lines.join('')}${total}</table>
<form method="post">
${input('email', 'Email', { ...given, email: given.email === '' ? (session.customer_email ?? '') : given.email })}
${input('name', 'Name on card', given)}
<label>Card number, or a test token such as pm_usBankAccount_success
<input name="card" value="${escaped(given.card)}" placeholder="4242 4242 4242 4242" autocomplete="off"></label>
${codes}
<button>${session.mode === 'subscription' ? 'Subscribe' : session.mode === 'payment' ? 'Pay' : 'Save'}</button>
</form>
${session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Back</a></p>`}`,
  );
  return { status: problem === null ? 200 : 402, html };
}

function input(name: 'email' | 'name' | 'promotion_code', label: string, given: Form): string {
  return `<label>${label}\n<input name="${name}" value="${escaped(given[name])}"></label>`;
}

/** What a bank asks before it lets a card pay. */
function authenticationPage(session: CheckoutSession, given: Form): string {
  const kept = Object.entries(given)
    .filter(([name]) => name !== 'authentication')
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`);
  return page(
    'Authentication',
    `<h1>Your bank asks whether it is you</h1>
<form method="post" action="/c/pay/${session.id}">
${kept.join('\n')}
<button name="authentication" value="succeeded">Complete authentication</button>
<button name="authentication" value="failed" class="quiet">Fail authentication</button>
</form>`,
  );
}
