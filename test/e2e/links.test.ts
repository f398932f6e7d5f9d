import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { mintKey } from '../../src/auth/keys/api-key.js';
import { EventStoreUnavailableError } from '../../src/event-store/errors.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { buyer, PRO } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent, invoiceObject, stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { disputeObject, fraudWarningObject, invoicePaymentObject } from '../support/stripe-payments.js';
import { until } from '../support/until.js';

const listing = z.object({
  items: z.array(z.looseObject({ kind: z.string(), id: z.string() })),
  next: z.string().nullable(),
});
const recorded = z.strictObject({
  outcome: z.enum(['applied', 'duplicate']),
  event: z.string().optional(),
  position: z.string().optional(),
});

const bulkResults = z.object({
  results: z.array(
    z.looseObject({ customerId: z.string(), outcome: z.string(), code: z.string().optional() }),
  ),
});

describe('Linking', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  async function link(path: string, value: unknown): Promise<z.infer<typeof recorded>> {
    const answer = await service.ask('PUT', path, value);
    expect(answer.status).toBe(200);
    return recorded.parse(answer.body);
  }

  async function listed(list: string): Promise<readonly string[]> {
    const answer = await service.ask('GET', `/v1/ops/${list}?limit=1000`);
    return listing.parse(answer.body).items.map(({ id }) => id);
  }

  it('gives what nobody owned to its owner, and takes it back', async () => {
    const user = buyer(null);
    const { position } = await service.receive(user.started('active').body);
    await service.entitlements('owner', position);
    expect(await listed('unlinked')).toContain(user.id);

    const path = `/v1/customers/cus_demo${user.name}/link`;
    const linked = await link(path, { userId: 'owner', reason: 'said support' });
    expect(linked).toMatchObject({ outcome: 'applied', event: 'CustomerLinked' });
    expect(await service.entitlements('owner', linked.position)).toMatchObject({ plan: 'plus' });
    expect(await listed('unlinked')).not.toContain(user.id);
    expect((await link(path, { userId: 'owner' })).outcome).toBe('duplicate');

    const unlinked = recorded.parse((await service.ask('DELETE', path)).body);
    expect(unlinked).toMatchObject({ outcome: 'applied', event: 'CustomerUnlinked' });
    expect(await service.entitlements('owner', unlinked.position)).toMatchObject({ plan: 'free' });
    expect(recorded.parse((await service.ask('DELETE', path)).body).outcome).toBe('duplicate');
  });

  it('moves a single subscription between users, both judged anew', async () => {
    const user = buyer('first');
    await service.receive(user.started('active').body);
    const moved = await link(`/v1/subscriptions/${user.id}/link`, { userId: 'second' });
    expect(moved.event).toBe('SubscriptionLinked');
    expect(await service.entitlements('second', moved.position)).toMatchObject({ plan: 'plus' });
    expect(await service.entitlements('first')).toMatchObject({ plan: 'free' });
    const back = recorded.parse((await service.ask('DELETE', `/v1/subscriptions/${user.id}/link`)).body);
    expect(await service.entitlements('first', back.position)).toMatchObject({ plan: 'plus' });
  });

  it('lists facts that disagree until ops decide', async () => {
    const user = buyer('claimed-by-metadata');
    await service.receive(user.started('active').body);
    const { position } = await service.receive(user.checksOut('claimed-by-checkout').body);
    await service.entitlements('claimed-by-metadata', position);
    const answer = await service.ask('GET', '/v1/ops/conflicts');
    const found = listing.parse(answer.body).items.find(({ id }) => id === user.id);
    expect(found).toMatchObject({ kind: 'subscription', owner: 'claimed-by-metadata' });
    expect(JSON.stringify(found)).toContain('claimed-by-checkout');
  });

  it('lists prices in no plan with whom they concern, and upgrades that wait for their payment', async () => {
    const odd = { id: 'price_of_no_plan', product: 'prod_odd', name: 'Odd', unitAmount: 900 };
    await service.receive(buyer('odd-2', odd).started('active').body);
    await service.receive(buyer('odd-1', odd).started('active').body);
    const user = buyer('waiting');
    await service.receive(user.started('active').body);
    const { position } = await service.receive(user.switchesTo(PRO).body);
    await service.entitlements('waiting', position);
    const items = async (path: string) =>
      z.looseObject({ items: z.array(z.looseObject({})) }).parse((await service.ask('GET', path)).body).items;
    const [first] = await service.inStoredOrder('odd-1', 'odd-2');
    expect(await items('/v1/ops/unmapped-prices')).toContainEqual({
      price: odd.id,
      users: 2,
      adopted: { users: 0, plans: [] },
      example: first,
    });
    expect(await items(`/v1/ops/unmapped-prices?cursor=${odd.id}`)).toEqual([]);
    const before = (await service.storedId('waiting')).slice(0, -1);
    expect(await items(`/v1/ops/pending-payments?cursor=${before}`)).toContainEqual(
      expect.objectContaining({ userId: 'waiting', plan: 'pro', price: PRO.id, invoice: null }),
    );
  });

  it('lists disputed payments that no invoice is named with until one is, and fraud warnings while they can be acted on', async () => {
    const receive = async (type: string, object: object) =>
      (await service.receive(stripeEvent(type, object))).position;
    await receive(
      'customer.subscription.created',
      subscriptionObject('sub_ops', PRO.id, { metadata: { user_id: 'warned' } }),
    );
    const items = async (path: string, position: string | undefined) => {
      await service.entitlements('warned', position ?? '0');
      const { body } = await service.ask('GET', path);
      return z.looseObject({ items: z.array(z.looseObject({ payment: z.string() })) }).parse(body).items;
    };
    const disputed = await receive('charge.dispute.created', disputeObject('du_ops', 'ch_ops', 'pi_ops'));
    expect(await items('/v1/ops/unjoined-payments', disputed)).toEqual([
      {
        payment: 'pi_ops',
        charges: ['ch_ops'],
        since: expect.any(String),
        disputes: [{ dispute: 'du_ops', status: 'needs_response', amount: 1000, currency: 'usd' }],
        refunded: null,
      },
    ]);
    const attached = await receive(
      'invoice_payment.paid',
      invoicePaymentObject('inpay_ops', 'in_ops', 'pi_ops'),
    );
    expect(await items('/v1/ops/unjoined-payments', attached)).toEqual([]);

    await receive('invoice.paid', invoiceObject('in_ops', 'sub_ops', PRO.id));
    const warning = (more: object) => fraudWarningObject('issfr_ops', 'ch_ops', 'pi_ops', more);
    const warned = await receive('radar.early_fraud_warning.created', warning({}));
    expect(await items('/v1/ops/fraud-warnings', warned)).toEqual([
      expect.objectContaining({
        payment: 'pi_ops',
        warning: 'issfr_ops',
        invoices: ['in_ops'],
        users: ['warned'],
      }),
    ]);
    const other = fraudWarningObject('issfr_other', 'ch_other', 'pi_other');
    const ofNothing = await receive('radar.early_fraud_warning.created', other);
    expect(await items('/v1/ops/unjoined-payments', ofNothing)).toEqual([]);
    await receive('radar.early_fraud_warning.updated', { ...other, actionable: false });
    const past = await receive('radar.early_fraud_warning.updated', warning({ actionable: false }));
    expect(await items('/v1/ops/fraud-warnings', past)).toEqual([]);
  });

  it('counts repeats with one Idempotency-Key once', async () => {
    const path = '/v1/customers/cus_keyed/link';
    const put = (userId: string, key: string) =>
      service.call({
        method: 'PUT',
        path,
        headers: { ...AUTHORIZED, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ userId }),
      });
    expect((await put('one', 'k1')).body).toMatchObject({ outcome: 'applied' });
    expect((await put('two', 'k2')).body).toMatchObject({ outcome: 'applied' });
    expect((await put('one', 'k1')).body).toMatchObject({ outcome: 'duplicate' });
    expect(problemCode(await put('one', 'a key'))).toBe('invalid_request');
  });

  it('links a thousand customers at once, and a repeat adds nothing', async () => {
    const links = Array.from({ length: 1_000 }, (_, n) => ({
      customerId: `cus_bulk${n}`,
      userId: `bulk-${n}`,
    }));
    const before = await service.logged();
    const results = z.object({ results: z.array(recorded.extend({ customerId: z.string() })) });
    const first = results.parse((await service.ask('POST', '/v1/customers/links', { links })).body);
    expect(first.results.map(({ customerId }) => customerId)).toEqual(
      links.map(({ customerId }) => customerId),
    );
    expect(new Set(first.results.map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
    expect(await service.logged()).toBe(before + 1_000);
    const second = results.parse((await service.ask('POST', '/v1/customers/links', { links })).body);
    expect(new Set(second.results.map(({ outcome }) => outcome))).toEqual(new Set(['duplicate']));
    expect(await service.logged()).toBe(before + 1_000);
  });

  /** The store that the service appends to, with something done before each append until `end`. */
  function beforeAppends(doFirst: (stream: string) => Promise<void>): { end(): void; store: EventStore } {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const append = store.append.bind(store);
    Object.assign(store, {
      append: async (...given: Parameters<typeof append>) => {
        await doFirst(given[0]);
        return append(...given);
      },
    });
    return { store, end: () => Object.assign(store, { append }) };
  }

  const linksOf = (name: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ customerId: `cus_${name}${n}`, userId: `${name}-${n}` }));

  it('of several bulk calls at once takes sixteen turns at a time, and others go past', async () => {
    let [underWay, most] = [0, 0];
    const door = { open: (): void => undefined };
    const opened = new Promise<void>((resolve) => {
      door.open = resolve;
    });
    const held = beforeAppends(async (stream) => {
      if (!stream.includes('cus_turn')) return;
      underWay += 1;
      most = Math.max(most, underWay);
      await opened;
      underWay -= 1;
    });
    try {
      const calls = ['turnA', 'turnB', 'turnC'].map((name) =>
        service.ask('POST', '/v1/customers/links', { links: linksOf(name, 100) }),
      );
      await until('sixteen are under way', () => underWay === 16);
      const { outcome } = await service.receive(buyer('goes-past').started('active').body);
      expect(outcome).toBe('applied');
      door.open();
      const answers = await Promise.all(calls);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(most).toBe(16);
    } finally {
      door.open();
      held.end();
    }
  });

  it('of many, of which a part landed, tells which, and is finished by a repeat', async () => {
    const links = linksOf('part', 100);
    let begun = 0;
    const troubled = beforeAppends(async (stream) => {
      if (!stream.includes('cus_part')) return;
      begun += 1;
      if (begun > 40) throw new EventStoreUnavailableError('away', { cause: new Error('away') });
    });
    const before = await service.logged();
    const answer = await service.ask('POST', '/v1/customers/links', { links });
    troubled.end();
    expect(answer.status).toBe(207);
    const { results } = bulkResults.parse(answer.body);
    expect(results.map(({ customerId }) => customerId)).toEqual(links.map(({ customerId }) => customerId));
    const count = (...outcomes: readonly string[]) =>
      results.filter(({ outcome }) => outcomes.includes(outcome)).length;
    expect(count('applied')).toBe(40);
    expect(count('failed')).toBeGreaterThan(0);
    expect(count('failed', 'not_tried')).toBe(60);
    expect(results.find(({ outcome }) => outcome === 'failed')?.code).toBe('event_store_unavailable');
    expect(await service.logged()).toBe(before + 40);

    const again = await service.ask('POST', '/v1/customers/links', { links });
    expect(again.status).toBe(200);
    expect(await service.logged()).toBe(before + 100);
  });

  it('of many, of which nothing landed, is a problem like any other', async () => {
    const troubled = beforeAppends(async (stream) => {
      if (stream.includes('cus_none'))
        throw new EventStoreUnavailableError('away', { cause: new Error('away') });
    });
    const answer = await service.ask('POST', '/v1/customers/links', { links: linksOf('none', 30) });
    troubled.end();
    expect([answer.status, problemCode(answer)]).toEqual([503, 'event_store_unavailable']);
  });

  /** `POST /v1/customers/links` with an `Idempotency-Key`. */
  const keyed = (key: string, links: readonly object[], authorization = AUTHORIZED.authorization) =>
    service.ask('POST', '/v1/customers/links', { links }, { 'idempotency-key': key, authorization });

  it('of many under one key is done once: the same bytes get the same reply, others are refused', async () => {
    const links = linksOf('keyed', 3);
    const first = await keyed('once', links);
    expect(first.status).toBe(200);
    expect(first.text).toContain('"applied"');
    const before = await service.logged();
    const second = await keyed('once', links);
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    const other = await keyed('once', linksOf('keyed', 2));
    expect([other.status, problemCode(other)]).toEqual([422, 'idempotency_key_reused']);
    const { body } = await service.ask(
      'POST',
      '/v1/customers/links',
      { links },
      { 'idempotency-key': 'x y' },
    );
    expect(body.code).toBe('invalid_request');
    expect(await service.logged()).toBe(before);
    expect((await keyed('another', links)).text).toContain('"duplicate"');
  });

  it('of many under one key is each caller’s own, and a refusal of the contents is kept, of the store not', async () => {
    const { pool } = service.tenure;
    const { id, key, hash } = mintKey();
    await pool.query(
      `insert into tenure.api_key (id, hash, name, scopes, created_at) values ($1, $2, 'other', '{ops}', now())`,
      [id, hash],
    );
    const mine = await keyed('shared', [{ customerId: 'cus 1', userId: 'u' }]);
    expect([mine.status, problemCode(mine)]).toEqual([400, 'invalid_request']);
    expect((await keyed('shared', [{ customerId: 'cus 1', userId: 'u' }])).text).toBe(mine.text);
    expect((await keyed('shared', linksOf('theirs', 1), `Bearer ${key}`)).status).toBe(200);
    await pool.query(`update tenure.api_key set scopes = '{audit}' where id = $1`, [id]);
    await until('the key lost its scope', async () => {
      const refused = await keyed('shared', linksOf('theirs', 1), `Bearer ${key}`);
      return refused.status === 403 && problemCode(refused) === 'forbidden';
    });

    const troubled = beforeAppends(async (stream) => {
      if (stream.includes('cus_afterwards'))
        throw new EventStoreUnavailableError('away', { cause: new Error('away') });
    });
    expect((await keyed('later', linksOf('afterwards', 1))).status).toBe(503);
    troubled.end();
    expect((await keyed('later', linksOf('afterwards', 1))).text).toContain('"applied"');
  });

  it('of many under one key says that the first is under way, to whoever asks meanwhile', async () => {
    const door = { open: (): void => undefined };
    const opened = new Promise<void>((resolve) => {
      door.open = resolve;
    });
    const held = beforeAppends(async (stream) => {
      if (stream.includes('cus_slow')) await opened;
    });
    try {
      const first = keyed('slow', linksOf('slow', 1));
      await until('a repeat meets the first', async () => {
        const { rows } = await service.tenure.pool.query(
          'select from tenure.idempotency_key where status is null',
        );
        return rows.length === 1;
      });
      const meanwhile = await keyed('slow', linksOf('slow', 1));
      expect([meanwhile.status, problemCode(meanwhile)]).toEqual([409, 'idempotency_key_in_use']);
      expect(meanwhile.headers['retry-after']).toBe('1');
      door.open();
      const { status, text } = await first;
      expect(status).toBe(200);
      expect((await keyed('slow', linksOf('slow', 1))).text).toBe(text);
    } finally {
      door.open();
      held.end();
    }
  });

  it('pages through what belongs to nobody without a gap or a repeat', async () => {
    const made = Array.from({ length: 25 }, () => `cus_${randomBytes(6).toString('hex')}`);
    let position: string | undefined;
    for (const id of made) {
      ({ position } = await service.receive(customerEvent({ data: { object: { id, metadata: {} } } })));
    }
    await service.entitlements('anyone', position);
    const seen: string[] = [];
    let cursor = '';
    do {
      const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = listing.parse((await service.ask('GET', `/v1/ops/unlinked?limit=7${query}`)).body);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next ?? '';
    } while (cursor !== '');
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen).toEqual(expect.arrayContaining(made));
  });

  it.each<[string, string, unknown, string]>([
    ['PUT', '/v1/customers/cus_1/link', {}, 'invalid_request'],
    ['PUT', '/v1/customers/cus_1/link', { userId: '' }, 'invalid_request'],
    ['PUT', '/v1/customers/cus_1/link', { userId: 'a\u0007' }, 'invalid_user_id'],
    ['PUT', '/v1/customers/cus_1/link', { userId: 'u', reason: 'lone \ud800' }, 'invalid_request'],
    ['PUT', '/v1/customers/cus_1/link', { userId: 'u', reason: 'nul \0' }, 'invalid_request'],
    ['PUT', '/v1/customers/cus%201/link', { userId: 'u' }, 'invalid_request'],
    ['PUT', `/v1/subscriptions/${'s'.repeat(256)}/link`, { userId: 'u' }, 'invalid_request'],
    ['DELETE', '/v1/customers/cus%00/link', undefined, 'invalid_request'],
    ['POST', '/v1/customers/links', { links: [] }, 'invalid_request'],
    [
      'POST',
      '/v1/customers/links',
      { links: Array(1_001).fill({ customerId: 'c', userId: 'u' }) },
      'invalid_request',
    ],
    [
      'POST',
      '/v1/customers/links',
      { links: Array(2).fill({ customerId: 'c', userId: 'u' }) },
      'invalid_request',
    ],
    ['GET', '/v1/ops/unlinked?limit=0', undefined, 'invalid_request'],
    ['GET', '/v1/ops/unlinked?limit=1001', undefined, 'invalid_request'],
    ['GET', '/v1/ops/conflicts?cursor=%00', undefined, 'invalid_request'],
    ['GET', '/v1/ops/conflicts?page=2', undefined, 'unsupported_parameter'],
  ])('refuses %s %s with %j', async (method, path, body, code) => {
    const before = await service.logged();
    const answer = await service.ask(method, path, body);
    expect(answer.status).toBe(400);
    expect(problemCode(answer)).toBe(code);
    expect(await service.logged()).toBe(before);
  });
});
