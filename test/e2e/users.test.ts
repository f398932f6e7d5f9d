import { z } from 'zod';
import { buyer, PRO } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';

const page = z.strictObject({
  items: z.array(z.looseObject({ userId: z.string() })),
  next: z.string().nullable(),
});

describe('The list of users, over HTTP', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
    let position: string | undefined;
    for (const [user, price] of [['ann'], ['bob', PRO], ['cleo'], ['a user/é', PRO]] as const) {
      ({ position } = await service.receive(buyer(user, price).started('active').body));
    }
    await service.entitlements('ann', position);
    await service.entitlements('never heard of');
  });
  afterAll(() => service.close());

  async function list(query: string): Promise<z.infer<typeof page>> {
    const answer = await service.ask('GET', `/v1/users${query}`);
    expect(answer.status).toBe(200);
    return page.parse(answer.body);
  }

  it('says of each what their snapshot says, and lists nobody else', async () => {
    const { items, next } = await list('');
    expect(items.map(({ userId }) => userId)).toEqual(['a user/é', 'ann', 'bob', 'cleo']);
    expect(next).toBeNull();
    for (const item of items) expect(await service.entitlements(item.userId)).toMatchObject(item);
    expect(Object.keys(items[0] ?? {}).sort()).toEqual([
      'cancelAt',
      'changedAt',
      'expiresAt',
      'plan',
      'revocationVersion',
      'role',
      'status',
      'subscriptionActive',
      'userId',
      'validUntil',
    ]);
  });

  it('is filtered and goes page by page', async () => {
    const ids = async (query: string) => (await list(query)).items.map(({ userId }) => userId);
    expect(await ids('?plan=pro')).toEqual(['a user/é', 'bob']);
    expect(await ids('?role=paid&status=active&plan=plus')).toEqual(['ann', 'cleo']);
    expect(await ids('?status=canceled')).toEqual([]);
    expect(await ids('?plan=none')).toEqual([]);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { items, next } = await list(`?limit=1&cursor=${encodeURIComponent(cursor)}`);
      seen.push(...items.map(({ userId }) => userId));
      cursor = next ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(['a user/é', 'ann', 'bob', 'cleo']);
  });

  it.each<[string, string]>([
    ['?status=good', 'invalid_request'],
    ['?status=active&status=paused', 'invalid_request'],
    ['?plan=a&plan=b', 'invalid_request'],
    ['?role=%00', 'invalid_request'],
    ['?limit=0', 'invalid_request'],
    ['?limit=1001', 'invalid_request'],
    ['?cursor=%00', 'invalid_request'],
    ['?page=2', 'unsupported_parameter'],
  ])('refuses %s', async (query, code) => {
    const answer = await service.ask('GET', `/v1/users${query}`);
    expect(answer.status).toBe(400);
    expect(problemCode(answer)).toBe(code);
  });
});
