import type { RequestListener, Server } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import { AccessCheck, CHECK_PATH } from '../api/access/access-check.js';
import { checkHandler } from '../api/access/check.handler.js';
import { AuditGuard } from '../api/audit/audit.guard.js';
import { serveConsole } from '../api/console/serve-console.js';
import { EntitlementsService } from '../api/entitlements/entitlements.service.js';
import { hotRoutes, routeOf } from '../api/hot-routes.js';
import { EVENT_STREAM_PATH } from '../api/ofrep/flag-changes.js';
import { OfrepService } from '../api/ofrep/ofrep.service.js';
import { ofrepBody } from '../api/ofrep/ofrep-body.js';
import { serveOpenApi } from '../api/openapi.js';
import { RequestEdge } from '../api/pseudonyms/request-edge.js';
import { revealing, withOwnRequestId } from '../api/pseudonyms/response-edge.js';
import { checkAddresses } from '../api/pseudonyms/said-edge.js';
import { toProblem } from '../api/to-problem.js';
import { AccessControl } from '../auth/access-control.js';
import { LastUse } from '../auth/keys/last-use.js';
import { principalOf, requireKey, requireTicket } from '../auth/require-key.js';
import { ScopeGuard } from '../auth/scope.guard.js';
import { SEALED_SECRETS, type SealedSecrets } from '../auth/sealed-secrets.js';
import { StreamTickets } from '../auth/stream-tickets.js';
import { formBody, jsonBody } from '../http/body.js';
import { cors } from '../http/cors.js';
import { EventStreams } from '../http/event-stream.js';
import { httpServer, listen, stopListening } from '../http/http-server.js';
import { IdempotencyInterceptor } from '../http/idempotency/idempotency.interceptor.js';
import { KeptReplies } from '../http/idempotency/kept-replies.js';
import { LineStreams } from '../http/line-stream.js';
import { measured } from '../http/measured.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { ReadPositionInterceptor } from '../http/read-position.js';
import { ReplyAdapter } from '../http/reply-adapter.js';
import { traced } from '../http/traced.js';
import { WrittenPositionInterceptor } from '../http/written-position.js';
import { NestLogger } from '../observability/logger.js';
import { VERSION } from '../observability/version.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { LongPolls } from '../push/long-polls.js';
import { WebhookService } from '../webhooks/webhook.service.js';
import { STEPS, type Starting } from './steps.js';

/** The application behind the hot routes, as Nest and Express have it. */
export interface Application {
  readonly app: NestExpressApplication;
  /** Without what comes before the hot routes: `cors`, `traced`, and, with pseudonyms, `withOwnRequestId`. */
  readonly expressListener: RequestListener;
}

/** Puts the application together; it listens nowhere yet. */
export async function openApplication(
  { settings, logger, failures, metrics, stops }: Starting,
  module: DynamicModule,
): Promise<Application> {
  const adapter = new ReplyAdapter(express().disable('x-powered-by'));
  const app = await NestFactory.create<NestExpressApplication>(module, adapter, {
    bodyParser: false,
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  stops.add(STEPS.application, () => app.close());
  stops.add(STEPS.lastUse, () => app.get(LastUse).close());
  app.use(measured(metrics, logger));
  app.use('/v1', requireKey(app.get(AccessControl)));
  app.use('/v1/introspect', formBody);
  app.use('/v1', jsonBody);
  app.use(CHECK_PATH, checkHandler(app.get(AccessCheck), failures));
  app.use(EVENT_STREAM_PATH, requireTicket(app.get(StreamTickets)));
  app.use(['/ofrep', '/access'], requireKey(app.get(AccessControl)));
  app.use('/ofrep', ofrepBody);
  app.use('/access', jsonBody);
  const pseudonyms = app.get<Pseudonyms | null>(PSEUDONYMS);
  if (pseudonyms === null)
    app.use(checkAddresses(settings.ownUserIds.email === 'refuse' ? 'refused' : 'taken'));
  else app.use(new RequestEdge(pseudonyms).middleware);
  app.useGlobalGuards(new ScopeGuard(app.get(Reflector)), app.get(AuditGuard));
  app.useGlobalInterceptors(
    new IdempotencyInterceptor({
      reflector: app.get(Reflector),
      replies: app.get(KeptReplies),
      secrets: app.get<SealedSecrets>(SEALED_SECRETS),
      callerOf: (request) => principalOf(request).actor,
      toProblem,
    }),
    new WrittenPositionInterceptor(),
    new ReadPositionInterceptor(app.get(Reflector), app.get(EntitlementsService)),
  );
  serveConsole(app);
  const routes = serveOpenApi(app, VERSION);
  app.useGlobalFilters(new ProblemFilter(toProblem, failures, routes));
  await app.init();
  const expressListener: RequestListener = adapter.getInstance();
  return {
    app,
    expressListener: pseudonyms === null ? expressListener : revealing(pseudonyms, expressListener),
  };
}

/** Listens where the settings say. A stop ends the streams that are open, and lets requests under way finish. */
export async function openHttp(
  { settings, logger, failures, metrics, tracing, steps }: Starting,
  { app, expressListener }: Application,
): Promise<{ readonly server: Server; readonly url: string }> {
  const pseudonyms = app.get<Pseudonyms | null>(PSEUDONYMS);
  const hot = hotRoutes({
    edge: pseudonyms === null ? null : new RequestEdge(pseudonyms),
    next: expressListener,
    access: app.get(AccessControl),
    entitlements: app.get(EntitlementsService),
    ofrep: app.get(OfrepService),
    webhooks: app.get(WebhookService),
    metrics,
    logger,
    failures,
  });
  const answers = pseudonyms === null ? hot : revealing(pseudonyms, hot);
  const served = cors(answers, settings.corsOrigins);
  const followed = tracing === null ? served : traced(served, tracing, routeOf);
  const server = httpServer(pseudonyms === null ? followed : withOwnRequestId(followed));
  const listening = listen(server, settings.port, settings.host);
  const port = await steps.open(STEPS.requests, listening, async () => {
    const stopped = stopListening(server);
    app.get(EventStreams).close();
    app.get(LongPolls).close();
    app.get(LineStreams).close();
    await stopped;
  });
  const url = urlOf(settings.host, port);
  logger.info({ url }, 'tenure listens');
  return { server, url };
}

function urlOf(bound: string, port: number): string {
  const host = bound === '0.0.0.0' ? '127.0.0.1' : bound;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
