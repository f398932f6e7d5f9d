import { setImmediate as nextTurn } from 'node:timers/promises';
import { customerObject, stripeEvent } from '../../../../test/support/stripe-events.js';
import { TRANSLATION } from '../../../../test/support/translated.js';
import { until } from '../../../../test/support/until.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { Drift } from './drift-report.js';
import { recordMissedEvents } from './missed-events.js';
import type { Saying } from './recorder.js';

/** A Stripe whose only page of events has so many, about a customer each. */
function stripeWith(events: number): Pick<StripeGateway, 'page'> {
  const objects = Array.from({ length: events }, (_, n) => {
    return stripeEvent('customer.updated', customerObject(`cus_${n}`), { id: `evt_${n}` });
  });
  const page = { outcome: 'answered', objects, hasMore: false, answeredAt: 7, apiVersion: null } as const;
  return { page: async () => page };
}

describe('Missed events', () => {
  it('of which one cannot be stored are left once the others under way have ended, and no further one is begun', async () => {
    const drift = new Drift();
    const begun: string[] = [];
    const waiting: (() => void)[] = [];
    const lacked = async ({ causation }: Saying): Promise<boolean> => {
      begun.push(causation);
      if (begun.length === 1) throw new Error('the store is away');
      await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    };
    let outcome = 'under way';
    const run = recordMissedEvents({
      gateway: stripeWith(20),
      translation: TRANSLATION,
      livemode: false,
      recorder: { lacked },
      drift,
      since: null,
      onEvents: async () => undefined,
      signal: new AbortController().signal,
    }).catch((error: Error) => {
      outcome = error.message;
    });
    await until('the others are under way', () => waiting.length === 7);
    await nextTurn();
    expect(outcome).toBe('under way');
    for (const end of waiting) end();
    await run;
    expect(outcome).toBe('the store is away');
    expect(begun).toEqual(Array.from({ length: 8 }, (_, n) => `evt_${19 - n}`));
    expect(drift.report.missedEvents.count).toBe(7);
  });
});
