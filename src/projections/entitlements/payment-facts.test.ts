import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { storyCatalog } from '../../../test/support/policy-stories.js';
import { invoiceObject, now, stripeEvent, subscriptionObject } from '../../../test/support/stripe-events.js';
import {
  chargeObject,
  disputeObject,
  fraudWarningObject,
  invoicePaymentObject,
} from '../../../test/support/stripe-payments.js';
import { eventOf } from '../../../test/support/translated.js';
import { UserFold } from '../../audit/as-of/user-fold.js';
import { metadataOf } from '../../commands/aggregate.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { currentSchemaVersion, type DomainEvent } from '../../events/event-types.js';
import { GENESIS_HASH } from '../../events/hash-chain.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { judge } from '../../policy/judge.js';
import type { ObjectKind } from '../../stripe/gateway/object-kind.js';
import { translateRetrieved } from '../../stripe/translate/retrieved.translation.js';
import { isPaymentEvent, paymentObservationOf, warningsToAct } from './payment-facts.js';

const NOW = now();
const BEGAN = NOW - 5 * 86_400;
const CLAIMS = { userIdMetadataKey: 'user_id', userIdPattern: null };
const POLICIES = [
  { dispute: 'suspend', fullRefund: 'keep' },
  { dispute: 'keep', fullRefund: 'suspend' },
  { dispute: 'suspend', fullRefund: 'suspend' },
].map(storyCatalog);

/** An object about a payment as it was at a second, and who says so: a webhook, Stripe's API, or first the one and then the other. */
interface Sight {
  readonly kind: Extract<ObjectKind, 'invoice_payment' | 'charge' | 'dispute'>;
  readonly object: { readonly id: string };
  readonly by: 'webhook' | 'answer' | 'both';
}

const TYPES = {
  invoice_payment: 'invoice_payment.paid',
  charge: 'charge.refunded',
  dispute: 'charge.dispute.updated',
} as const;

/** Of the invoices of a purchase and an upgrade, the latter paid by two payments. */
function sights(): fc.Arbitrary<readonly Sight[]> {
  const nth = fc.integer({ min: 1, max: 3 });
  const by = fc.constantFrom('webhook', 'answer', 'both');
  const attachment = nth.map((n) => ({
    kind: 'invoice_payment' as const,
    object: invoicePaymentObject(`inpay_${n}`, n === 1 ? 'in_1' : 'in_2', `pi_${n}`),
  }));
  const charge = fc.record({ n: nth, amount: fc.constantFrom(0, 100, 900, 1000) }).map(({ n, amount }) => ({
    kind: 'charge' as const,
    object: chargeObject(`ch_${n}`, `pi_${n}`, { amount_refunded: amount, refunded: amount === 1000 }),
  }));
  const status = fc.constantFrom('needs_response', 'lost', 'won', 'warning_needs_response', 'unheard_of');
  const dispute = fc.record({ n: nth, status, amount: fc.constantFrom(300, 1000) }).map(({ n, ...more }) => ({
    kind: 'dispute' as const,
    object: disputeObject(`du_${n}`, `ch_${n}`, `pi_${n}`, more),
  }));
  return fc.array(
    fc
      .record({ what: fc.oneof(attachment, charge, dispute), by })
      .map((each) => ({ ...each.what, by: each.by })),
    { minLength: 2, maxLength: 9 },
  );
}

/** An event as the log would have it; a webhook's has `stripeType`, an answer `causation`. */
function envelope(
  event: DomainEvent,
  created: number,
  { stripeType, causation }: { readonly stripeType: string | null; readonly causation: string },
): EventEnvelope {
  const told = { created, apiVersion: null, livemode: false };
  const stripe =
    stripeType === null
      ? { ...told, eventId: null, eventType: null }
      : { ...told, eventId: causation, eventType: stripeType };
  const origin = { actor: 'test', correlationId: 'test', causation, stripe };
  return {
    ...event,
    ...{ stream: 'any', revision: 0, position: '0', id: randomUUID() },
    metadata: {
      ...metadataOf(origin, created * 1_000, currentSchemaVersion(event.type)),
      prevHash: GENESIS_HASH,
      hash: GENESIS_HASH,
    },
  };
}

function delivered(type: string, object: object, created: number): EventEnvelope {
  return envelope(eventOf(stripeEvent(type, object)), created, {
    stripeType: type,
    causation: `evt_${created}`,
  });
}

function answered(
  { kind, object }: { readonly kind: ObjectKind; readonly object: Sight['object'] },
  created: number,
): EventEnvelope {
  const reading = { answeredAt: created, livemode: false, claims: CLAIMS };
  const read = translateRetrieved({ kind, id: object.id }, { ...object }, reading);
  if (read.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(read)}`);
  return envelope(read.event, created, { stripeType: null, causation: `retrieved/${object.id}/${created}` });
}

/** What is known before: a purchase of `plus_m` and an upgrade to `pro_m`, each paid by an invoice. */
function bought(): readonly EventEnvelope[] {
  const more = { metadata: { user_id: 'ann' } };
  const pro = subscriptionObject('sub_1', 'pro_m', more);
  const plus = subscriptionObject('sub_1', 'plus_m', more);
  const change = stripeEvent('customer.subscription.updated', pro, {
    previous: { items: Reflect.get(plus, 'items') },
  });
  const upgrade = { billing_reason: 'subscription_update', created: BEGAN + 2 };
  return [
    delivered('customer.subscription.created', plus, BEGAN),
    delivered('invoice.paid', invoiceObject('in_1', 'sub_1', 'plus_m', { created: BEGAN }), BEGAN + 1),
    envelope(eventOf(change), BEGAN + 2, {
      stripeType: 'customer.subscription.updated',
      causation: `evt_${BEGAN + 2}`,
    }),
    delivered('invoice.paid', invoiceObject('in_2', 'sub_1', 'pro_m', upgrade), BEGAN + 3),
  ];
}

async function heldBy(events: readonly EventEnvelope[]): Promise<readonly Entitlement[]> {
  const folded = new UserFold('ann');
  for (const event of events) await folded.add(event);
  return POLICIES.map((catalog) => judge(folded.facts(), catalog, NOW * 1_000).entitlement);
}

/** The same list in an order that `seed` gives. */
function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  return list
    .map((each, n) => ({ each, key: ((n + 1) * (seed * 2 + 1) * 2_654_435_761) % 4_294_967_296 }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
}

const BOUGHT = bought();

/** Ids of the early fraud warnings of some events that can still be acted on. */
function toAct(events: readonly EventEnvelope[]): readonly string[] {
  const told = events.filter(isPaymentEvent).flatMap((event) => paymentObservationOf(event) ?? []);
  return warningsToAct(told).map(({ data }) => data.warning);
}

describe('What Stripe shows of an early fraud warning when it is asked', () => {
  const sight = (actionable: boolean) => fraudWarningObject('issfr_1', 'ch_1', 'pi_1', { actionable });
  const shown = (actionable: boolean, second: number) =>
    answered({ kind: 'early_fraud_warning', object: sight(actionable) }, second);
  const told = (actionable: boolean, second: number) =>
    delivered('radar.early_fraud_warning.updated', sight(actionable), second);

  const named = (id: string, actionable: boolean) => {
    const stripeType = 'radar.early_fraud_warning.updated';
    const event = eventOf(stripeEvent(stripeType, sight(actionable)));
    return envelope(event, BEGAN, { stripeType, causation: id });
  };

  it.each([
    ['counts as a webhook would', [shown(true, BEGAN)], ['issfr_1']],
    ['ends it where it can no longer be acted on', [told(true, BEGAN), shown(false, BEGAN + 1)], []],
    ['counts less than what was delivered since', [shown(true, BEGAN), told(false, BEGAN + 1)], []],
    ['counts less than what was delivered in its second', [shown(true, BEGAN), told(false, BEGAN)], []],
    ['ends in the second in which it began', [named('evt_a', true), named('evt_b', false)], []],
    ['ends in that second, whatever the ids are', [named('evt_b', true), named('evt_a', false)], []],
  ])('%s, in either order', (_, events, expected) => {
    expect(toAct(events)).toEqual(expected);
    expect(toAct([...events].reverse())).toEqual(expected);
  });
});

describe('What Stripe shows of a payment when it is asked', () => {
  it('counts as what webhooks would have told of it, told in any order and told twice', async () => {
    await fc.assert(
      fc.asyncProperty(sights(), fc.nat(1_000), async (all, seed) => {
        const secondOf = (n: number) => BEGAN + 100 + 10 * n;
        const told = all.map(({ kind, object }, n) => delivered(TYPES[kind], object, secondOf(n)));
        const asked = all.flatMap((sight, n) => [
          ...(sight.by === 'answer' ? [] : [delivered(TYPES[sight.kind], sight.object, secondOf(n))]),
          ...(sight.by === 'webhook' ? [] : [answered(sight, secondOf(n) + 1)]),
        ]);
        const expected = await heldBy([...BOUGHT, ...told]);
        expect(await heldBy(shuffled([...BOUGHT, ...asked, ...asked], seed))).toEqual(expected);
      }),
      { numRuns: Number(process.env.ASKED_RUNS ?? '100') },
    );
  });

  it('stands before what was delivered in the same second', async () => {
    const attached = delivered(
      'invoice_payment.paid',
      invoicePaymentObject('inpay_1', 'in_2', 'pi_1'),
      BEGAN + 5,
    );
    const lost = disputeObject('du_1', 'ch_1', 'pi_1', { status: 'lost' });
    const won = disputeObject('du_1', 'ch_1', 'pi_1', { status: 'won' });
    const [bySecond] = await heldBy([
      ...BOUGHT,
      attached,
      delivered('charge.dispute.created', won, BEGAN + 6),
      answered({ kind: 'dispute', object: lost }, BEGAN + 6),
    ]);
    expect(bySecond?.plan).toBe('pro');
    const [byTime] = await heldBy([
      ...BOUGHT,
      attached,
      delivered('charge.dispute.created', won, BEGAN + 6),
      answered({ kind: 'dispute', object: lost }, BEGAN + 7),
    ]);
    expect(byTime?.plan).not.toBe('pro');
  });

  it('changes nothing where Stripe named no invoice', async () => {
    const none: DomainEvent = {
      type: 'PaymentRetrieved',
      data: { object: 'none', payment: 'pi_1', paymentIntent: 'pi_1', charge: 'ch_1', invoice: null },
    };
    const told = [...BOUGHT, delivered('charge.refunded', chargeObject('ch_1', 'pi_1'), BEGAN + 5)];
    const asked = envelope(none, BEGAN + 6, { stripeType: null, causation: 'retrieved/pi_1/evt_1' });
    expect(await heldBy([...told, asked])).toEqual(await heldBy(told));
  });
});
