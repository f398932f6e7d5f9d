import { growingList } from '../../policy/growing-list.js';
import type { KeptCheckout, KeptCustomer, KeptPayment, KeptSubscription } from './kept-rows.js';
import { WriteBatch } from './write-batch.js';

const FACT = { eventId: 'evt_1', stripeType: '', created: 1 };

describe('The rows of a batch that is sealed', () => {
  it('stay as they are, whatever is folded into what is in memory before they are written', () => {
    const subscription = { subscription: 'sub_1', owner: 'ann', customerDeleted: false } as KeptSubscription;
    const customer = { customer: 'cus_1', conflicts: null, link: 'ann' } as KeptCustomer;
    const checkout = { session: 'cs_1', owner: 'ann', observations: growingList<object>([]) };
    const payment = { payment: 'pi_1', isJoined: false, observations: growingList<object>([]) };
    const batch = new WriteBatch();
    batch.subscriptions.add(subscription);
    batch.customers.add(customer);
    batch.checkouts.add(checkout as unknown as KeptCheckout);
    batch.payments.rows.add(payment as unknown as KeptPayment);
    const rows = (): unknown[] => [
      ...batch.subscriptions,
      ...batch.customers,
      ...batch.checkouts,
      ...batch.payments.rows,
    ];
    const before = structuredClone(rows());

    batch.seal();
    subscription.owner = 'bob';
    customer.link = null;
    checkout.owner = 'bob';
    checkout.observations.push(FACT);
    payment.isJoined = true;
    payment.observations.push(FACT);
    expect(rows()).toEqual(before);
  });
});
