import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FakeTenure, KEY } from '../../test/fake-tenure.js';
import { createGuard } from '../server/guard.js';
import { entitlementsOf, RequireFeature, RequireRole, TenureModule } from './index.js';

@RequireRole('paid')
class Club {}

@Controller('reports')
class Reports extends Club {
  @Get()
  @RequireFeature('export')
  all(@Req() request: object) {
    return { plan: entitlementsOf(request)?.plan };
  }

  @Get('yearly')
  @RequireFeature('export')
  @RequireFeature('yearly')
  yearly() {
    return {};
  }
}

@Controller('open')
class Open {
  @Get()
  all() {
    return {};
  }
}

let tenure: FakeTenure;
let app: INestApplication;
let url: string;

beforeAll(async () => {
  tenure = await FakeTenure.start();
  const guard = createGuard({ url: tenure.url, key: KEY });
  @Module({ imports: [TenureModule.forRoot({ guard })], controllers: [Reports, Open] })
  class Application {}
  app = await NestFactory.create(Application, { logger: false });
  app.enableShutdownHooks([]);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(async () => {
  await app.close();
  await tenure.close();
});

async function get(path: string, token: string | null) {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { headers });
  const { status } = response;
  return { status, challenge: response.headers.get('www-authenticate'), body: await response.json() };
}

describe('A Nest application', () => {
  it('lets through who holds all that the method and its class require', async () => {
    const token = await tenure.token(Date.now());
    expect(await get('/reports', token)).toMatchObject({ status: 200, body: { plan: 'plus' } });
    expect(await get('/open', null)).toMatchObject({ status: 200 });
  });

  it('answers 403 to who lacks one of them, and 401 without a token', async () => {
    expect(await get('/reports/yearly', await tenure.token(Date.now()))).toMatchObject({
      status: 403,
      body: { code: 'not_in_plan', feature: 'yearly' },
    });
    const free = await tenure.token(Date.now(), { role: 'free' });
    expect(await get('/reports', free)).toMatchObject({ status: 403, body: { code: 'other_role' } });
    expect(await get('/reports', null)).toMatchObject({ status: 401, challenge: 'Bearer' });
  });
});
