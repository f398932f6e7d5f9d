import type Stripe from 'stripe';
import { EVENT_STORE, type EventStore } from '../../../../src/event-store/event-store.js';
import type { Answer } from '../../../support/http-call.js';
import type { IdentityProvider } from '../../../support/identity-provider.js';
import { until } from '../../../support/until.js';
import { APP, type Shop } from '../shop.js';

/** A user of an id of their own who wants more than they pay for, and what they are answered in short words. */
export class BypassingUser {
  constructor(
    readonly id: string,
    readonly shop: Shop,
    private readonly provider: IdentityProvider,
  ) {}

  /** Begins a checkout: the status, and the kind of page or the code of the problem. */
  async begin(choice: object): Promise<string> {
    return outcomeOf(await this.shop.begin(this.id, choice));
  }

  /** Asks for less by PATCH. */
  async change(choice: object): Promise<string> {
    await this.shop.later();
    const answer = await this.shop.service.ask('PATCH', `/v1/users/${this.id}/plan`, choice);
    await this.shop.heard();
    return outcomeOf(answer);
  }

  /** Begins an upgrade and does on its page what confirms it; the page's status. */
  async upgrade(choice: object): Promise<number | null> {
    const { body, text } = await this.shop.begin(this.id, choice);
    if (body.kind === 'portal') return this.shop.confirm(body.url);
    if (body.kind !== 'done' && body.kind !== 'invoice') throw new Error(`no upgrade: ${text}`);
    await this.shop.heard();
    return null;
  }

  /** The plan by the snapshot, once all that is in the log is read; with what waits, and why. */
  async has(): Promise<string> {
    const { plan, status, pendingPayment: waits } = await this.snapshot();
    const more = waits === null ? '' : `, ${waits.plan} waits: ${waits.reason}`;
    return `${plan} ${status}${more}`;
  }

  async limit(name: string): Promise<unknown> {
    return (await this.snapshot()).limits[name];
  }

  async snapshot(): Promise<Answer['body']> {
    await this.shop.heard();
    const store = this.shop.service.tenure.app.get<EventStore>(EVENT_STORE);
    return this.shop.service.entitlements(this.id, (await store.head()) ?? undefined);
  }

  /** Waits until what follows payments was done of all that is in the log. */
  async followed(): Promise<void> {
    const { app, pool } = this.shop.service.tenure;
    const head = await app.get<EventStore>(EVENT_STORE).head();
    await until('what follows was done', async () => {
      const { rows } = await pool.query(
        `select from tenure.reaction_checkpoint c where reaction = 'checkout' and position >= $1
           and not exists (select from tenure.reaction_work w where w.reaction = c.reaction and state = 'waiting')`,
        [head],
      );
      return rows.length === 1;
    });
  }

  /** The one subscription that has not ended. */
  async subscription(): Promise<Stripe.Subscription> {
    const [one, ...others] = await this.shop.runningOf(this.id);
    if (one === undefined || others.length > 0) throw new Error(`${this.id} has not one subscription`);
    return one;
  }

  /** Somebody changes the subscription at Stripe, past Tenure. */
  async changedAtStripe(price: string, params: Stripe.SubscriptionUpdateParams = {}): Promise<void> {
    await this.shop.later();
    const { id, items } = await this.subscription();
    const item = { id: items.data[0]?.id ?? '', price };
    await this.shop.stripe.subscriptions.update(id, { items: [item], ...params });
    await this.shop.heard();
  }

  /** A subscription that the seller makes at Stripe, billed by sent invoices. */
  async isSentInvoices(price: string): Promise<void> {
    await this.shop.later();
    const metadata = { user_id: this.id };
    const customer = await this.shop.stripe.customers.create({ metadata });
    await this.shop.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price }],
      collection_method: 'send_invoice',
      days_until_due: 30,
      metadata,
    });
    await this.shop.heard();
  }

  async invoices(): Promise<readonly Stripe.Invoice[]> {
    const [customer = ''] = await this.shop.customersOf(this.id);
    return (await this.shop.stripe.invoices.list({ customer })).data;
  }

  /** Pays the newest invoice that is open. */
  async paysNewest(): Promise<void> {
    const open = (await this.invoices()).find(({ status }) => status === 'open' || status === 'draft');
    if (open === undefined) throw new Error('nothing to pay');
    await this.shop.later();
    if (open.status === 'draft') await this.shop.stripe.invoices.finalizeInvoice(open.id ?? '');
    await this.shop.stripe.invoices.pay(open.id ?? '', { paid_out_of_band: true });
    await this.shop.heard();
  }

  /** The newest charge of the customer. */
  async charge(): Promise<string> {
    const [customer = ''] = await this.shop.customersOf(this.id);
    const [newest] = (await this.shop.stripe.charges.list({ customer })).data;
    if (newest === undefined) throw new Error('nothing was charged');
    return newest.id;
  }

  async isPaidBack(): Promise<void> {
    const charge = await this.charge();
    await this.shop.later();
    await this.shop.stripe.refunds.create({ charge });
    await this.shop.heard();
  }

  /** What the plain portal answers to a button: the page's status. */
  async presses(button: Readonly<Record<string, string>>): Promise<number> {
    const { body } = await this.shop.service.ask('POST', '/v1/portal/sessions', {
      userId: this.id,
      returnUrl: APP,
    });
    return this.pressesAt(body.url, button);
  }

  async pressesAt(url: string, button: Readonly<Record<string, string>>): Promise<number> {
    await this.shop.later();
    const form = new URLSearchParams({ subscription: (await this.subscription()).id, ...button });
    const { status } = await fetch(url, { method: 'POST', redirect: 'manual', body: form });
    await this.shop.heard();
    return status;
  }

  /** Asks with a user token of its own. */
  async asUser(method: string, path: string, value?: object): Promise<string> {
    const authorization = `Bearer ${await this.provider.token(this.id)}`;
    return outcomeOf(await this.shop.service.ask(method, path, value, { authorization }));
  }
}

/** What an answer says, in short: a problem's code, a checkout's kind, a change's outcome. */
export function outcomeOf({ status, body }: Answer): string {
  return `${status} ${body?.code ?? body?.kind ?? body?.outcome ?? ''}`.trim();
}
