import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Account } from '../src/account.js';
import type { EventRow } from '../src/events.js';
import { Fixture } from './support.js';

const WALKS = Number(process.env.SIMULATOR_WALKS ?? 6);

/** What somebody, or time, does to the subscriptions of an account. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 40 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('subscribe' as const),
      token: fc.constantFrom(
        'pm_card_visa',
        'pm_card_chargeCustomerFail',
        'pm_usBankAccount_success',
        'pm_card_createDispute',
      ),
      trial: fc.constantFrom(0, 0, 5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom(
        'upgrade',
        'pend',
        'cancel',
        'cancelLater',
        'keep',
        'pause',
        'resume',
        'pay',
        'void',
        'refund',
        'note' as const,
      ),
      which: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('card' as const), which: fc.nat(20), good: fc.boolean() }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Does a step; what Stripe would refuse is refused, which is no fault. */
async function take(fixture: Fixture, prices: readonly string[], taken: Step): Promise<void> {
  const { stripe, simulator } = fixture;
  const all = [...simulator.account.subscriptions.select()];
  try {
    if (taken.does === 'wait') return await fixture.daysPass(taken.days);
    if (taken.does === 'subscribe') {
      const { id: customer } = await fixture.buyer(taken.token);
      const items = [{ price: prices[0] ?? '' }];
      await stripe.subscriptions.create({
        customer,
        items,
        ...(taken.trial === 0 ? {} : { trial_period_days: taken.trial }),
      });
      return;
    }
    const subscription = all[taken.which % Math.max(1, all.length)];
    if (subscription === undefined) return;
    const { id, latest_invoice: invoice, items } = subscription;
    const item = { id: items.data[0]?.id ?? '', price: prices[1] ?? '' };
    switch (taken.does) {
      case 'upgrade':
        await stripe.subscriptions.update(id, { items: [item], proration_behavior: 'always_invoice' });
        return;
      case 'pend': {
        const held = {
          payment_behavior: 'pending_if_incomplete',
          proration_behavior: 'always_invoice',
        } as const;
        await stripe.subscriptions.update(id, { items: [item], ...held });
        return;
      }
      case 'cancel':
        await stripe.subscriptions.cancel(id);
        return;
      case 'cancelLater':
        await stripe.subscriptions.update(id, { cancel_at_period_end: true });
        return;
      case 'keep':
        await stripe.subscriptions.update(id, { cancel_at_period_end: false });
        return;
      case 'pause':
        await stripe.subscriptions.pause(id);
        return;
      case 'resume':
        await stripe.subscriptions.resume(id);
        return;
      case 'pay':
        await stripe.invoices.pay(invoice ?? '', { payment_method: 'pm_card_visa' });
        return;
      case 'void':
        await stripe.invoices.voidInvoice(invoice ?? '');
        return;
      case 'note':
        await stripe.subscriptions.update(id, { metadata: { note: `${taken.which}` } });
        return;
      case 'refund': {
        const { data } = await stripe.charges.list({ customer: subscription.customer, limit: 1 });
        await stripe.refunds.create({ charge: data[0]?.id ?? '' });
        return;
      }
      case 'card': {
        const { data } = await stripe.paymentMethods.list({ customer: subscription.customer, limit: 1 });
        const token = taken.good ? 'pm_card_visa' : 'pm_card_chargeCustomerFail';
        await simulator.control('POST', `/_simulator/payment_methods/${data[0]?.id}`, { token });
      }
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

function isRefusal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const status = 'statusCode' in error ? error.statusCode : 'status' in error ? error.status : null;
  return typeof status === 'number' && status >= 400 && status < 500;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields of an object as they go over the wire. */
function wire(object: object | undefined): Fields {
  return JSON.parse(JSON.stringify(object));
}

/** What differs between one event of an object and the next that is not named by `previous_attributes`, or named wrongly. */
function wronglyNamed(before: EventRow, after: EventRow): readonly string[] {
  const [was, is] = [wire(before.object), wire(after.object)];
  const named = wire(after.previous ?? {});
  return Object.keys({ ...was, ...is }).filter((key) => {
    const differs = !isDeepStrictEqual(was[key], is[key]);
    return differs !== Object.hasOwn(named, key);
  });
}

/** Every event of an account, which forgets those that are older than 30 days. */
function heardOf(account: Account): readonly EventRow[] {
  const heard: EventRow[] = [];
  account.events.listen((row) => void heard.push(row));
  return heard;
}

function checkLives(account: Account, heard: readonly EventRow[]): void {
  const last = new Map<string, EventRow>();
  for (const row of heard) {
    const id = row.object.id ?? '';
    const before = last.get(id);
    if (before !== undefined && row.type === 'customer.subscription.updated') {
      expect({ id, at: row.created, wrong: wronglyNamed(before, row) }).toMatchObject({ wrong: [] });
    }
    last.set(id, row);
  }
  for (const subscription of account.subscriptions.select()) {
    expect(wire(last.get(subscription.id)?.object)).toEqual(wire(subscription));
  }
  for (const invoice of account.invoices.select()) {
    expect(wire(last.get(invoice.id)?.object)).toEqual(wire(invoice));
    const payments = [...account.invoicePayments.select({ by: ['invoice', invoice.id] })];
    const paid = payments.reduce((sum, { amount_paid }) => sum + (amount_paid ?? 0), 0);
    expect(invoice.status === 'paid' ? invoice.amount_paid : 0).toBe(paid);
  }
}

describe('Whatever is done to subscriptions of the Stripe simulator', () => {
  it('is told whole by events, and again in the same way under the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const told: string[][] = [];
        for (let life = 0; life < 2; life += 1) {
          const fixture = await Fixture.start();
          try {
            const heard = heardOf(fixture.simulator.account);
            const prices = [(await fixture.price(1_000)).id, (await fixture.price(3_000)).id];
            for (const taken of steps) await take(fixture, prices, taken);
            checkLives(fixture.simulator.account, heard);
            told.push(heard.map(({ id, type, created }) => `${created} ${type} ${id}`));
          } finally {
            await fixture.close();
          }
        }
        expect(told[1]).toEqual(told[0]);
      }),
      { numRuns: WALKS, endOnFailure: false },
    );
  });
});
