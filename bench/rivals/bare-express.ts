/** The floor of `query`: the Express that NestJS brings, as it comes, answering every path with one constant. */
import { createRequire } from 'node:module';
import type { Express } from 'express';
import { given, serveForBench } from '../support/rival-server.js';

const ours = createRequire(import.meta.url);
const express: () => Express = createRequire(ours.resolve('@nestjs/platform-express'))('express');

const body = given('BENCH_BODY');
const app = express();
app.get('/v1/users/:id/entitlements', (_request, response) => {
  response.type('json').send(body);
});

serveForBench(app);
