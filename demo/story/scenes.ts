import type { Price } from '../stripe/event.js';
import type { SimulatedClock } from '../stripe/simulated-clock.js';
import { SimulatedSubscription } from '../stripe/simulated-subscription.js';
import { type Expectation, type Scene, signed } from './scene.js';

const PLUS: Price = { id: 'price_plus_m', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
const PRO: Price = { id: 'price_pro_m', product: 'prod_pro', name: 'Pro', unitAmount: 2_900 };

const FREE = holds('free', 'free', 'none', '0');

/**
 * The whole story, as Stripe would tell it. The clock goes on between scenes; the order of the steps is the order of
 * arrival, which in one scene is not the order in which things happened.
 */
export function theStory(clock: SimulatedClock): readonly Scene[] {
  const ada = new SimulatedSubscription(clock, { name: 'Ada', userId: 'ada', price: PLUS });
  return [
    firstPurchase(ada, clock),
    renewal(ada, clock),
    ...upgrade(ada, clock),
    ...lateMoney(ada, clock),
    outOfOrder(ada, clock),
    forgeries(clock),
    ownerComesLater(clock),
    cancellation(ada, clock),
  ];
}

function firstPurchase(ada: SimulatedSubscription, clock: SimulatedClock): Scene {
  const plus = holds('paid', 'plus', 'active', '1');
  const started = ada.started('incomplete');
  clock.pass(4);
  const paid = ada.pays('subscription_create');
  const active = ada.becomes('active');
  clock.pass(1);
  return {
    title: 'First purchase',
    moral: 'Ada buys Plus. Access begins with the money, and her redirect waits for it.',
    userId: 'ada',
    steps: [
      signed('a subscription, not paid yet', started, FREE),
      signed('the first invoice is paid', paid, FREE),
      signed('incomplete → active', active, plus),
      signed('the checkout is complete', ada.checksOut('ada'), plus),
    ],
  };
}

function renewal(ada: SimulatedSubscription, clock: SimulatedClock): Scene {
  const plus = holds('paid', 'plus', 'active', '1');
  clock.pass(60);
  return {
    title: 'Renewal',
    moral: 'A month later. Only a date moves, so no token is revoked: the version stays.',
    userId: 'ada',
    steps: [
      signed('the next month begins', ada.renews(), plus),
      signed('its invoice is paid', ada.pays('subscription_cycle'), plus),
    ],
  };
}

function upgrade(ada: SimulatedSubscription, clock: SimulatedClock): readonly Scene[] {
  const waits: Expectation = { ...holds('paid', 'plus', 'active', '1'), pending: 'pro' };
  clock.pass(60);
  const switched = ada.switchesTo(PRO);
  clock.pass(2);
  const failed = ada.failsToPay('subscription_update');
  clock.pass(60);
  return [
    {
      title: 'An upgrade that is not paid yet',
      moral: 'Stripe already shows Pro on the subscription. Nobody gets what is not paid.',
      userId: 'ada',
      steps: [signed('Plus → Pro', switched, waits), signed('the card is declined', failed, waits)],
    },
    {
      title: 'The same upgrade, paid',
      moral: 'The invoice goes through, and Pro opens at once.',
      userId: 'ada',
      steps: [
        signed('the upgrade is paid', ada.pays('subscription_update'), holds('paid', 'pro', 'active', '2')),
      ],
    },
  ];
}

function lateMoney(ada: SimulatedSubscription, clock: SimulatedClock): readonly Scene[] {
  const grace = holds('paid', 'pro', 'past_due', '3');
  const active = holds('paid', 'pro', 'active', '4');
  clock.pass(60);
  const renewed = ada.renews();
  const failed = ada.failsToPay('subscription_cycle');
  const late = ada.becomes('past_due');
  clock.pass(60);
  const paid = ada.pays('subscription_cycle');
  const recovered = ada.becomes('active');
  return [
    {
      title: 'A payment fails',
      moral: 'Ada keeps Pro for seven days of grace, and everybody can see why.',
      userId: 'ada',
      steps: [
        signed('the next month begins', renewed, holds('paid', 'pro', 'active', '2')),
        signed('the card is declined', failed, holds('paid', 'pro', 'active', '2')),
        signed('active → past_due', late, grace),
      ],
    },
    {
      title: 'It recovers',
      moral: 'The second attempt goes through.',
      userId: 'ada',
      steps: [signed('the invoice is paid', paid, grace), signed('past_due → active', recovered, active)],
    },
    {
      title: 'Duplicates',
      moral: 'Stripe delivers at least once. The log holds each event exactly once.',
      userId: 'ada',
      steps: [
        signed('the same again', recovered, { ...active, outcome: 'duplicate' }),
        signed('and an older one', failed, { ...active, outcome: 'duplicate' }),
      ],
    },
  ];
}

function outOfOrder(ada: SimulatedSubscription, clock: SimulatedClock): Scene {
  const active = holds('paid', 'pro', 'active', '4');
  clock.pass(60);
  const late = ada.becomes('past_due');
  clock.pass(30);
  const recovered = ada.becomes('active');
  return {
    title: 'Out of order',
    moral: 'The recovery overtakes the failure. Who trusts the last arrival would now lock Ada out.',
    userId: 'ada',
    steps: [
      signed('past_due → active (2nd)', recovered, active),
      signed('active → past_due (1st)', late, active),
    ],
  };
}

function forgeries(clock: SimulatedClock): Scene {
  const mallory = new SimulatedSubscription(clock, { name: 'Mallory', userId: 'mallory', price: PLUS });
  const event = mallory.started('active');
  const refused: Expectation = { ...FREE, outcome: 'refused' };
  const body = event.body.replaceAll(PLUS.id, PRO.id);
  return {
    title: 'Forgeries',
    moral: 'Mallory would like Pro for nothing. Nothing of this is stored.',
    userId: 'mallory',
    steps: [
      { kind: 'webhook', says: 'no signature', delivery: { how: 'unsigned', event }, expect: refused },
      {
        kind: 'webhook',
        says: 'signed by somebody else',
        delivery: { how: 'foreign', event },
        expect: refused,
      },
      {
        kind: 'webhook',
        says: 'changed on the way',
        delivery: { how: 'altered', event, body },
        expect: refused,
      },
      {
        kind: 'webhook',
        says: 'replayed 10 minutes later',
        delivery: { how: 'old', event },
        expect: refused,
      },
    ],
  };
}

function ownerComesLater(clock: SimulatedClock): Scene {
  clock.pass(60);
  const bob = new SimulatedSubscription(clock, { name: 'Bob', userId: null, price: PLUS });
  const plus = holds('paid', 'plus', 'active', '1');
  const started = bob.started('active');
  const paid = bob.pays('subscription_create');
  clock.pass(5);
  return {
    title: 'A fact before its owner is known',
    moral:
      'Nobody knows yet whose subscription this is. It is kept, and counts the moment somebody claims it.',
    userId: 'bob',
    steps: [
      signed('a subscription of nobody', started, FREE),
      signed('paid for, too', paid, FREE),
      { kind: 'unlinked', subscription: bob.id, expect: 'listed' },
      signed('the checkout says: Bob', bob.checksOut('bob'), plus),
      { kind: 'unlinked', subscription: bob.id, expect: 'not listed' },
    ],
  };
}

function cancellation(ada: SimulatedSubscription, clock: SimulatedClock): Scene {
  const canceled = holds('free', 'free', 'canceled', '5');
  clock.pass(60);
  const scheduled = ada.cancelsAtPeriodEnd();
  clock.pass(30);
  const straggler = ada.isNoted('sent before the end, arrives after it');
  clock.pass(30);
  return {
    title: 'Cancellation',
    moral: 'Pro to the last day, then free, for good: no straggler brings it back.',
    userId: 'ada',
    steps: [
      signed('to end with the month', scheduled, holds('paid', 'pro', 'active', '4')),
      signed('the end', ada.ends(), canceled),
      signed('a straggler from before', straggler, canceled),
    ],
  };
}

function holds(role: string, plan: string, status: string, version: string): Expectation {
  return { outcome: 'applied', role, plan, status, version };
}
