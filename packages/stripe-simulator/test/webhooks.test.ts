import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { Simulator } from '../src/index.js';
import { START } from './support.js';

interface Posted {
  readonly body: string;
  readonly signature: string;
}

/** An endpoint that keeps what it is posted and answers with one status after another, 200 from then on. */
class Endpoint {
  readonly posted: Posted[] = [];
  statuses: number[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const signature = String(request.headers['stripe-signature']);
      this.posted.push({ body: Buffer.concat(chunks).toString(), signature });
      response.writeHead(this.statuses.shift() ?? 200).end();
    });
  }

  static async start(): Promise<Endpoint> {
    const endpoint = new Endpoint(createServer());
    await new Promise<void>((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  get types(): readonly string[] {
    return this.posted.map(({ body }) => String(JSON.parse(body).type));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

describe('An endpoint of the Stripe simulator', () => {
  let simulator: Simulator;
  let stripe: Stripe;
  let endpoint: Endpoint;

  beforeEach(async () => {
    simulator = await Simulator.start({ start: START });
    stripe = new Stripe('sk_test_of_the_tests', { ...simulator.sdkConfig, telemetry: false });
    endpoint = await Endpoint.start();
  });
  afterEach(async () => {
    await simulator.close();
    await endpoint.close();
  });

  it('is posted what happens, signed as the SDK verifies it', async () => {
    const { secret = '' } = await stripe.webhookEndpoints.create({
      url: endpoint.url,
      enabled_events: ['*'],
    });
    const customer = await stripe.customers.create({ name: 'Ada' });
    await stripe.customers.update(customer.id, { name: 'Ada L.' });
    await simulator.webhooks.settled();
    const [created, updated] = endpoint.posted
      .map(({ body, signature }) => stripe.webhooks.constructEvent(body, signature, secret))
      .sort((a, b) => a.type.localeCompare(b.type));
    expect(created).toMatchObject({ type: 'customer.created', created: START });
    expect(updated?.data).toMatchObject({
      object: { name: 'Ada L.' },
      previous_attributes: { name: 'Ada' },
    });
    expect(await stripe.events.retrieve(updated?.id ?? '')).toMatchObject({ data: updated?.data });
  });

  it('is posted thin events where it asked for them, from which the snapshot is found', async () => {
    const destination = await stripe.v2.core.eventDestinations.create({
      name: 'thin',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events: ['v1.customer.created'],
      webhook_endpoint: { url: endpoint.url },
      include: ['webhook_endpoint.signing_secret'],
    });
    const secret = destination.webhook_endpoint?.signing_secret ?? '';
    const customer = await stripe.customers.create({});
    await simulator.webhooks.settled();
    const [posted] = endpoint.posted;
    const thin = stripe.parseEventNotification(posted?.body ?? '', posted?.signature ?? '', secret);
    expect(thin).toMatchObject({
      type: 'v1.customer.created',
      related_object: { id: customer.id, type: 'customer', url: `/v1/customers/${customer.id}` },
    });
    expect((await stripe.v2.core.events.retrieve(thin.id)).id).toBe(thin.id);
    expect(await stripe.events.retrieve(thin.snapshot_event ?? '')).toMatchObject({
      type: 'customer.created',
    });
    expect((await stripe.v2.core.events.list({ object_id: customer.id })).data).toHaveLength(1);
  });

  it('is posted again, later by the clock, what it did not take; until then that is listed as undelivered', async () => {
    endpoint.statuses = [503, 500];
    await stripe.webhookEndpoints.create({ url: endpoint.url, enabled_events: ['customer.created'] });
    await stripe.customers.create({});
    await simulator.webhooks.settled();
    expect((await stripe.events.list({ delivery_success: false })).data).toHaveLength(1);
    await simulator.moveTo(START + 3_600);
    expect(endpoint.types).toEqual(Array(3).fill('customer.created'));
    expect((await stripe.events.list({ delivery_success: true })).data).toHaveLength(1);
  });

  it('misses, gets twice, late or in another order what it is said to', async () => {
    await stripe.webhookEndpoints.create({ url: endpoint.url, enabled_events: ['*'] });
    const happens = async (faults: object): Promise<number> => {
      await simulator.control('POST', '/_simulator/webhooks/faults', faults);
      const before = endpoint.posted.length;
      for (let n = 0; n < 4; n += 1) await stripe.customers.create({ name: `${n}` });
      await simulator.webhooks.settled();
      return endpoint.posted.length - before;
    };
    expect(await happens({ drop: 1 })).toBe(0);
    expect(await happens({ duplicate: 1 })).toBe(8);
    expect(await happens({ reorder: 4 })).toBe(4);
    expect(await happens({ delay: 1, delay_seconds: 60 })).toBe(0);
    await simulator.moveTo(simulator.account.now + 60);
    expect(endpoint.posted).toHaveLength(16);
  });
});
