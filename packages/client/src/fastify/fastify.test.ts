import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { FakeTenure, KEY } from '../../test/fake-tenure.js';
import { createGuard, type Guard } from '../server/guard.js';
import { entitlementsOf, requireFeature, requireRole } from './index.js';

let tenure: FakeTenure;
let guard: Guard;
let app: FastifyInstance;

beforeAll(async () => {
  tenure = await FakeTenure.start();
  guard = createGuard({ url: tenure.url, key: KEY });
  app = fastify();
  app.get('/export', { preHandler: requireFeature(guard, 'export') }, (request, reply) =>
    reply.send({ plan: entitlementsOf(request)?.plan }),
  );
  app.get('/api', { onRequest: requireFeature(guard, 'api') }, () => ({}));
  const user = (request: FastifyRequest) => (request.query as { user?: string }).user;
  app.get('/own', { onRequest: requireRole(guard, 'paid', { user }) }, () => ({}));
  app.get('/free', { onRequest: requireRole(guard, 'free') }, () => ({}));
});
afterAll(async () => {
  await app.close();
  guard.close();
  await tenure.close();
});

describe('A Fastify hook', () => {
  it('lets through who holds what is required, and answers the others itself', async () => {
    const authorization = `Bearer ${await tenure.token(Date.now())}`;
    const get = async (url: string, headers = {}) => {
      const { statusCode, body, headers: answered } = await app.inject({ url, headers });
      return { statusCode, type: answered['content-type'], body: JSON.parse(body) };
    };
    expect(await get('/export', { authorization })).toMatchObject({
      statusCode: 200,
      body: { plan: 'plus' },
    });
    expect(await get('/api', { authorization })).toMatchObject({
      statusCode: 403,
      type: expect.stringMatching('^application/problem.json'),
      body: { code: 'not_in_plan' },
    });
    expect(await get('/free', { authorization })).toMatchObject({
      statusCode: 403,
      body: { code: 'other_role', role: 'free' },
    });
    expect(await get('/own?user=u7')).toMatchObject({ statusCode: 200 });
    expect(await get('/export')).toMatchObject({ statusCode: 401, body: { code: 'no_token' } });
  });
});
