import { stripeEvent } from '../../../test/support/stripe-events.js';
import {
  chargeObject,
  disputeObject,
  fraudWarningObject,
  invoicePaymentObject,
} from '../../../test/support/stripe-payments.js';
import { eventOf } from '../../../test/support/translated.js';
import { until } from '../../../test/support/until.js';
import type { DomainEvent } from '../../events/event-types.js';
import type { DoubtOutcome } from '../../observability/metrics.js';
import type { Question, ReconciliationOutcome } from './reconciler.js';
import { ReconciliationQueue } from './reconciliation-queue.js';

/** A completed checkout that names a subscription: always worth a look. */
function completed(subscription: string): DomainEvent {
  return {
    type: 'CheckoutCompleted',
    data: {
      session: `cs_${subscription}`,
      customer: null,
      subscription,
      invoice: null,
      paymentIntent: null,
      mode: null,
      status: null,
      paymentStatus: null,
      created: null,
      metadataUserId: null,
      clientReferenceId: null,
      amountTotal: null,
      currency: null,
      lineItems: null,
    },
  };
}

/** Inquiries whose looks end when, and as, the test says. */
function underHand() {
  const looks: { readonly question: Question; end(how: ReconciliationOutcome | Error): void }[] = [];
  const counted: DoubtOutcome[] = [];
  const unsettled: unknown[] = [];
  const reconciliation = new ReconciliationQueue({
    reconciler: {
      look: (question) =>
        new Promise((resolve, reject) => {
          looks.push({ question, end: (how) => (how instanceof Error ? reject(how) : resolve(how)) });
        }),
    },
    newestSecond: () => null,
    metrics: { stripeDoubt: (outcome) => counted.push(outcome) },
    onUnsettled: (_, why) => unsettled.push(why),
    abort: () => {
      for (const { end } of looks) end({ outcome: 'unanswered', why: 'aborted' });
    },
  });
  const notice = (subscription: string): void =>
    reconciliation.notice(completed(subscription), { key: `evt_${subscription}`, created: 1 }, 'req');
  return { inquiries: reconciliation, notice, looks, counted, unsettled };
}

const SETTLED: ReconciliationOutcome = { outcome: 'settled' };

describe('the questions that wait for Stripe', () => {
  it('are of payments, too, where something of one was disputed or refunded and no invoice is named', () => {
    const { inquiries, looks } = underHand();
    const told = [
      eventOf(stripeEvent('charge.refunded', chargeObject('ch_1', 'pi_1'))),
      eventOf(stripeEvent('charge.refunded', chargeObject('ch_2', 'pi_2', { invoice: 'in_2' }))),
      eventOf(stripeEvent('charge.dispute.closed', disputeObject('du_3', 'ch_3', 'pi_3'))),
      eventOf(stripeEvent('invoice_payment.paid', invoicePaymentObject('inpay_4', 'in_4', 'pi_4'))),
      eventOf(
        stripeEvent('radar.early_fraud_warning.created', fraudWarningObject('issfr_5', 'ch_5', 'pi_5')),
      ),
    ];
    for (const event of told) inquiries.notice(event, { key: 'evt_1', created: 1 }, 'req');
    expect(looks.map(({ question }) => question.about)).toEqual([
      { kind: 'payment', id: 'pi_1' },
      { kind: 'payment', id: 'pi_3' },
    ]);
    expect(looks.map(({ question }) => question.on)).toEqual([
      { category: 'payment', id: 'pi_1' },
      { category: 'payment', id: 'pi_3' },
    ]);
  });

  it('are asked a few at once, in the order in which they came', async () => {
    const { notice, looks } = underHand();
    for (let n = 0; n < 10; n += 1) notice(`sub_${n}`);
    expect(looks).toHaveLength(4);
    for (let n = 0; n < 10; n += 1) {
      await until('the next look', () => looks.length > n);
      looks[n]?.end(SETTLED);
    }
    expect(looks.map(({ question }) => question.about.id)).toEqual(
      Array.from({ length: 10 }, (_, n) => `sub_${n}`),
    );
  });

  it('are at most a thousand; further ones are counted and left, and there is room again later', async () => {
    const { notice, looks, counted } = underHand();
    for (let n = 0; n < 1_003; n += 1) notice(`sub_${n}`);
    expect(counted).toEqual(['dropped', 'dropped', 'dropped']);
    looks[0]?.end(SETTLED);
    await until('it to be settled', () => counted.includes('settled'));
    await until('the next look', () => looks.length === 5);
    notice('sub_later');
    expect(counted).toEqual(['dropped', 'dropped', 'dropped', 'settled']);
  });

  it('are one at a time for an object; what comes meanwhile is looked at once more', async () => {
    const { notice, looks } = underHand();
    for (let n = 0; n < 5; n += 1) notice('sub_1');
    expect(looks).toHaveLength(1);
    looks[0]?.end(SETTLED);
    await until('one more look', () => looks.length === 2);
    looks[1]?.end({ outcome: 'no_doubt' });
    notice('sub_2');
    await until('another look', () => looks.length === 3);
    expect(looks[2]?.question.about.id).toBe('sub_2');
  });

  it('are given up when no later second comes', async () => {
    const { notice, looks, counted, unsettled } = underHand();
    notice('sub_1');
    for (let n = 0; n < 6; n += 1) {
      await until('a look', () => looks.length === n + 1);
      looks[n]?.end({ outcome: 'too_early', againInMs: 1 });
    }
    await until('it to be given up', () => counted.length > 0);
    expect([counted, unsettled]).toEqual([['unanswered'], ['it stayed too early to ask']]);
    expect(looks).toHaveLength(6);
  });

  it('say what failed on our side, and go on', async () => {
    const { notice, looks, counted, unsettled } = underHand();
    const fault = new Error('the store is away');
    notice('sub_1');
    looks[0]?.end(fault);
    await until('it to be counted', () => counted.length > 0);
    expect([counted, unsettled]).toEqual([['failed'], [fault]]);
    await until('a look', () => {
      notice('sub_1');
      return looks.length === 2;
    });
  });

  it('end with the service: those under way are ended, the others forgotten', async () => {
    const { inquiries, notice, looks } = underHand();
    for (let n = 0; n < 10; n += 1) notice(`sub_${n}`);
    looks[0]?.end({ outcome: 'too_early', againInMs: 1 });
    await until('the next look', () => looks.length === 5);
    await inquiries.close();
    notice('sub_later');
    expect(looks).toHaveLength(5);
  });
});
