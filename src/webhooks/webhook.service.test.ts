import { createHmac } from 'node:crypto';
import { CommandBus } from '@nestjs/cqrs';
import { toProblem } from '../api/to-problem.js';
import { Metrics } from '../observability/metrics.js';
import { CheckoutWait } from './checkout-wait.js';
import type { HandledDelivery } from './recent-deliveries.js';
import { StripeSignature } from './stripe-signature.js';
import { type RefusedDelivery, WebhookService } from './webhook.service.js';

const SECRET = 'whsec_test';

describe('A delivery that is refused', () => {
  const refused: RefusedDelivery[] = [];
  const handled: Omit<HandledDelivery, 'number'>[] = [];
  const never = (): never => {
    throw new Error('nothing of a refused delivery goes on');
  };
  const service = new WebhookService({
    signature: new StripeSignature([SECRET]),
    livemode: false,
    translation: { userIdMetadataKey: 'user_id', userIdPattern: null, account: null },
    commands: Object.assign(Object.create(CommandBus.prototype), { execute: never }),
    reconciliation: { notice: never, asks: false },
    checkoutWait: new CheckoutWait(
      { status: never, nextChange: never },
      { knownSales: () => never(), activeSubscriptions: never },
    ),
    heartbeat: { note: never },
    thinEvents: { fetch: never, withoutKey: 0 },
    toProblem,
    metrics: new Metrics(),
    onUnexpected: never,
    onRefused: (one) => refused.push(one),
    onHandled: (one) => handled.push(one),
    clock: { now: () => Date.now() },
  });

  async function deliver(body: string, secret = SECRET): Promise<RefusedDelivery | undefined> {
    const at = Math.floor(Date.now() / 1_000);
    const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
    refused.length = 0;
    const reply = service.receive(Promise.resolve(Buffer.from(body)), `t=${at},v1=${mac}`, 'r');
    await expect(reply).rejects.toMatchObject({ name: 'ProblemError' });
    return refused[0];
  }

  const created = { type: 'customer.subscription.created', id: 'evt_1', created: 1, livemode: false };

  it('is told with the id and type of its event and the field that is wrong', async () => {
    expect(await deliver(JSON.stringify({ ...created, data: { object: { id: 7 } } }))).toEqual({
      code: 'malformed_event',
      eventId: 'evt_1',
      type: 'customer.subscription.created',
      detail: expect.stringContaining('data.object.id'),
    });
  });

  it('is remembered with what came of it, its id and its type where it was signed', async () => {
    handled.length = 0;
    await deliver(JSON.stringify({ ...created, data: { object: { id: 7 } } }));
    await deliver(JSON.stringify(created), 'whsec_other');
    expect(handled).toEqual([
      expect.objectContaining({ outcome: 'malformed', eventId: 'evt_1', type: created.type, event: null }),
      expect.objectContaining({ outcome: 'invalid_signature', eventId: null, type: null }),
    ]);
    expect(handled[0]?.detail).toContain('data.object.id');
  });

  it('is told without what nobody signed', async () => {
    expect(await deliver(JSON.stringify(created), 'whsec_other')).toEqual({
      code: 'invalid_signature',
      eventId: null,
      type: 'unread',
      detail: expect.stringContaining('Stripe-Signature'),
    });
  });
});
