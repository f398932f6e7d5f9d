import type { RequestListener, Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import type { Pool } from 'pg';
import { EntitlementsService } from './api/entitlements/entitlements.service.js';
import { KEPT_MS } from './api/health/open-answers.js';
import { hotRoutes } from './api/hot-routes.js';
import { serveOpenApi } from './api/openapi.js';
import { toProblem } from './api/to-problem.js';
import { appModule } from './app.module.js';
import { AccessControl } from './auth/access-control.js';
import { AdminKeyAuthenticator, firstOf } from './auth/authenticator.js';
import { FailureLimiter } from './auth/failure-limiter.js';
import { LastUse } from './auth/keys/last-use.js';
import { requireKey } from './auth/require-key.js';
import { ScopeGuard } from './auth/scope.guard.js';
import { StoredKeyAuthenticator } from './auth/stored-key.authenticator.js';
import { type CatalogPublished, OfferPlanCatalog } from './commands/catalog.aggregate.js';
import { Repositories } from './commands/repositories.js';
import type { Settings } from './config/settings.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded/embedded-postgres.js';
import { ClockDiffersError, ServerClock } from './database/server-clock.js';
import { DeadlineScheduler } from './deadlines/deadline-scheduler.js';
import { LogReplacedError } from './event-store/errors.js';
import { claimForLog, logOf } from './event-store/log-identity.js';
import { MeteredEventStore } from './event-store/metered-event-store.js';
import { openEventStore } from './event-store/open-event-store.js';
import { untilLogAnswers } from './event-store/until-log-answers.js';
import { EventStreams } from './http/event-stream.js';
import { httpServer, listen, stopListening } from './http/http-server.js';
import { jsonBody } from './http/json-body.js';
import { measured } from './http/measured.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ReplyAdapter } from './http/reply-adapter.js';
import { inTime } from './observability/in-time.js';
import { createLogger, type Logger, NestLogger } from './observability/logger.js';
import { Metrics, type RebuildFigures } from './observability/metrics.js';
import { VERSION } from './observability/version.js';
import { catalogWarnings } from './plans/catalog-warnings.js';
import { loadPlanFile } from './plans/plan-file.js';
import { AttentionWatch } from './projections/attention-watch.js';
import { GuardedEventStore } from './projections/engine/guarded-event-store.js';
import { LogWatch, type LogWatchOptions } from './projections/engine/log-watch.js';
import { createProjections, type Projections, type ProjectionsOptions } from './projections/projections.js';
import type { Generation } from './projections/rebuild/generation-table.js';
import type { FoldingPlace } from './projections/workers/thread-stores.js';
import { openServiceDatabase } from './start/service-database.js';
import { StartSteps, StartStoppedError, StopOrder } from './start/stop-order.js';
import { ReconciliationQueue } from './stripe/reconciliation/reconciliation-queue.js';
import { DeliveryHeartbeat } from './webhooks/delivery-heartbeat.js';
import { WebhookService } from './webhooks/webhook.service.js';

const CATALOG_WITHIN_MS = 60_000;
/** A scrape waits no longer than this for what the database knows of a build. */
const REBUILD_ASKED_MS = 1_000;

export interface TenureHooks {
  /** Gets a line before something that takes a while, such as making the embedded database. */
  readonly onProgress?: (message: string) => void;
  readonly logger?: Logger;
  /** Node's flags for the threads that fold; left out, those of the process. `none`: this thread folds. */
  readonly threads?: readonly string[] | 'none';
  /** How long `/health/ready` and `/metrics` tell one answer, in milliseconds; left out, a second. */
  readonly openAnswersKeptMs?: number;
  /** Something the service cannot go on without has ended. */
  readonly onFatal?: (error: Error) => void;
  /** This machine's clock, Unix milliseconds: the one place where a test sets it. Left out: the system's. */
  readonly now?: () => number;
  /** Aborted, it ends a start at whatever step it is: what is up by then is ended in order. */
  readonly signal?: AbortSignal;
}

/**
 * A running service. `url` is where it listens; `close` ends everything it started, in order, within 20 s whatever hangs,
 * and answers the names of the steps that had to be abandoned.
 */
export interface Tenure {
  readonly app: INestApplication;
  readonly server: Server;
  readonly url: string;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly projections: Projections;
  /** The application without the hot routes in front: the other road to the same answers. */
  readonly expressListener: RequestListener;
  close(): Promise<readonly string[]>;
}

/**
 * Starts the whole service: database (embedded when none is named), migrations, catalogue, projection, HTTP.
 * While the event store does not answer it waits, and says so.
 * @throws InvalidPlanFileError, DataDirInUseError, EmbeddedPostgresError, TransactionPoolerError, what the database
 * answers, and StartStoppedError
 */
export async function createTenure(settings: Settings, hooks: TenureHooks = {}): Promise<Tenure> {
  const logger = hooks.logger ?? createLogger(settings.logLevel);
  const signal = hooks.signal ?? new AbortController().signal;
  const now = hooks.now ?? Date.now;
  const stops = new StopOrder((step, err) => logger.error({ step, err }, 'a step of the stop was abandoned'));
  const start = new StartSteps(stops, signal);
  try {
    const offered = await start.take(loadPlanFile(settings.plansFile));
    for (const warning of catalogWarnings(offered.catalog)) logger.warn(`the plan catalogue: ${warning}`);
    const databaseUrl = settings.databaseUrl ?? (await startDatabase(settings, hooks, logger, start)).url;
    const onIdleFault = (err: Error): void => logger.warn({ err }, 'a database connection broke');
    const { eventStoreUrl } = settings;
    const database = await start.open(
      { name: 'database connections', withinMs: 3_000 },
      openServiceDatabase({ url: databaseUrl, eventStoreUrl, onIdleFault }),
      (opened) => opened.close(),
    );
    const clock = new ServerClock({
      pool: database.pool,
      now,
      onDiffers: (err) => logger.error({ err }, 'the clock is wrong and nothing is written'),
      onAgrees: () => {
        logger.info('the clock is right again');
        offerAgain();
      },
    });
    stops.add('clock', 1_000, async () => clock.stop());
    let offerCatalog = async (): Promise<void> => undefined;
    const offerAgain = (): void => {
      offerCatalog().catch((err) => logger.error({ err }, 'the plan file was not offered to the log'));
    };
    await start.take(clock.start());

    const metrics = new Metrics();
    metrics.watch(
      'tenure_clock_difference_seconds',
      "By how much this machine's clock is ahead of the database server's.",
      () => clock.differenceMs / 1_000,
    );
    const opening = openEventStore(settings, {
      pool: database.pool,
      databaseUrl,
      onFault: (err) => logger.warn({ err }, 'event store'),
    });
    const store = new MeteredEventStore(
      await start.open({ name: 'event store', withinMs: 3_000 }, opening, (opened) => opened.close()),
      metrics,
    );
    await start.take(claimForLog(database.pool, logOf(settings)));
    const logWatch = new LogWatch({
      store,
      readCheckpoint: () => projections.readCheckpoint(),
      ...toldOfTheLog(logger),
      onForget: () => forget(),
      onHealed: () => {
        logger.warn('the log is the known one again: events are written and folded');
        offerAgain();
      },
    });
    let forget = (): void => undefined;
    metrics.watch(
      'tenure_log_replaced',
      '1 while the log is not the one that the read models were made from, and nothing is written.',
      () => Number(logWatch.replaced !== null),
    );
    const projections = createProjections({
      store,
      streamPrefix: settings.streamPrefix,
      pool: database.pool,
      source: database.source,
      url: databaseUrl,
      now,
      onBatch: (batch) => metrics.batch(batch),
      faultLimit: settings.faultLimit,
      onFault: (fault) => logger.error({ fault }, 'the projection stopped at a fault'),
      onSetAside: (generation, setAside) =>
        logger.error({ generation, setAside }, 'the projection set something aside and goes on'),
      onTrouble: (err) => logger.warn({ err }, 'the projection had trouble and goes on'),
      onConfirmed: (live) => logWatch.confirmed(live),
      ...foldingThreads({ ...settings, databaseUrl, eventStoreUrl }, hooks, logger),
    });
    watch(metrics, projections);
    const say = hooks.onProgress ?? ((line: string) => logger.warn(line));
    await start.take(untilLogAnswers(store, { say, signal }));

    const heartbeat = new DeliveryHeartbeat(database.pool, (err) =>
      logger.warn({ err }, 'that Stripe delivers is noted later'),
    );
    stops.add('note of the last delivery', 1_000, () => heartbeat.close());

    const adapter = new ReplyAdapter(express().disable('x-powered-by'));
    const app = await NestFactory.create<NestExpressApplication>(
      appModule({
        settings,
        pool: database.pool,
        store: new GuardedEventStore(store, logWatch),
        projections,
        logWatch,
        heartbeat: heartbeat,
        clock,
        now,
        metrics,
        logger,
        openAnswersKeptMs: hooks.openAnswersKeptMs ?? KEPT_MS,
      }),
      adapter,
      { bodyParser: false, logger: new NestLogger(logger), abortOnError: false },
    );
    stops.add('application', 2_000, () => app.close());
    const lastUse = new LastUse(database.pool, (err) => logger.warn({ err }, 'uses of keys are noted later'));
    stops.add('uses of keys', 1_000, () => lastUse.close());
    const access = new AccessControl(
      firstOf(
        new AdminKeyAuthenticator(settings.adminKey),
        new StoredKeyAuthenticator(database.pool, lastUse),
      ),
      new FailureLimiter(),
      (code) => metrics.authFailure(code),
    );
    app.use(measured(metrics, logger));
    app.use('/v1', requireKey(access), jsonBody);
    app.useGlobalGuards(new ScopeGuard(app.get(Reflector)));
    const routes = serveOpenApi(app, VERSION);
    app.useGlobalFilters(new ProblemFilter(toProblem, logger, routes));
    await app.init();

    const deadlines = app.get(DeadlineScheduler);
    forget = () => {
      app.get(Repositories).forget();
      deadlines.forget();
      projections.reader.changed('all');
    };
    stops.add('watch over the log', 2_000, () => logWatch.stop());
    await start.take(logWatch.start());
    stops.add('projections', 6_000, () => projections.stop());
    await start.take(projections.start());
    stops.add('inquiries and deadlines', 2_000, () =>
      Promise.all([app.get(ReconciliationQueue).close(), deadlines.stop()]),
    );
    offerCatalog = catalogOffer(app.get(CommandBus), offered, logger);
    await start.take(offerCatalog());
    await start.take(untilCatalog(projections, () => logWatch.replaced === null && !clock.differs));
    metrics.watch(
      'tenure_deadline_lag_seconds',
      'By how much the oldest change by time that is not written yet is overdue, where this instance looks.',
      () => deadlines.lagSeconds,
    );
    deadlines.start();

    const attention = new AttentionWatch({
      attention: projections.attention,
      isOurs: () => projections.engine.status().state === 'leading',
      warn: (details, message) => logger.warn(details, message),
      onTrouble: (err) => logger.warn({ err }, 'what needs attention could not be looked for'),
    });
    metrics.watchAttention(() => attention.counts);
    attention.start();
    stops.add('what needs attention', 1_000, () => attention.stop());

    const coldRoad: RequestListener = adapter.getInstance();
    const server = httpServer(
      hotRoutes({
        next: coldRoad,
        access,
        entitlements: app.get(EntitlementsService),
        webhooks: app.get(WebhookService),
        metrics,
        logger,
      }),
    );
    const streams = app.get(EventStreams);
    const port = await start.open(
      { name: 'requests under way', withinMs: 6_000 },
      listen(server, settings.port, settings.host),
      async () => {
        const stopped = stopListening(server);
        streams.close();
        await stopped;
      },
    );
    const host = settings.host === '0.0.0.0' ? '127.0.0.1' : settings.host;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    logger.info({ url }, 'tenure listens');
    return {
      app,
      server,
      url,
      pool: database.pool,
      databaseUrl,
      projections,
      expressListener: coldRoad,
      close: () => stops.run(),
    };
  } catch (error) {
    const abandoned = await stops.run();
    throw signal.aborted ? new StartStoppedError(abandoned) : error;
  }
}

/** Threads as the hooks want them; one that dies takes the service with it. */
function foldingThreads(
  { databaseUrl, eventStoreUrl, streamPrefix, faultLimit }: FoldingPlace,
  { threads, onFatal }: TenureHooks,
  logger: Logger,
): Pick<ProjectionsOptions, 'threads'> {
  if (threads === 'none') return {};
  const onDied = (err: Error): void => {
    logger.fatal({ err }, 'a thread that folds the log ended');
    onFatal?.(err);
  };
  const place = { databaseUrl, eventStoreUrl, streamPrefix, faultLimit };
  return { threads: { place, onDied, ...(threads === undefined ? {} : { nodeFlags: threads }) } };
}

async function startDatabase(
  settings: Settings,
  { onProgress, onFatal }: TenureHooks,
  logger: Logger,
  start: StartSteps,
): Promise<EmbeddedPostgres> {
  const starting = startEmbeddedPostgres({
    dataDir: settings.dataDir,
    onProgress: onProgress ?? ((message) => logger.info(message)),
  });
  const step = { name: 'embedded database', withinMs: 11_000, atLeastMs: 5_000, openWithinMs: 5_000 };
  const server = await start.open(step, starting, (started) => started.stop());
  void server.died.then((err) => {
    logger.fatal({ err }, 'the embedded database ended');
    onFatal?.(err);
  });
  return server;
}

function toldOfTheLog(logger: Logger): Pick<LogWatchOptions, 'onReplaced' | 'onTrouble'> {
  return {
    onReplaced: ({ handled, end }) =>
      logger.error(
        { handled, end },
        'THE LOG IS NOT THE ONE THAT THE READ MODELS WERE MADE FROM: nothing is written or folded until it is back, ' +
          'or `tenure log adopt` says that this one holds',
      ),
    onTrouble: (err) => logger.warn({ err }, 'the log could not be looked at and is looked at again'),
  };
}

/** Offers the catalogue of the file to the log, once: where nothing may be written, the next call tries again. */
function catalogOffer(
  commands: CommandBus,
  { catalog, hash }: Awaited<ReturnType<typeof loadPlanFile>>,
  logger: Logger,
): () => Promise<void> {
  let isOffered = false;
  return async () => {
    if (isOffered) return;
    const origin = { actor: 'service', correlationId: 'start', causation: null, stripe: null };
    try {
      const published: CatalogPublished = await commands.execute(new OfferPlanCatalog(catalog, hash, origin));
      isOffered = true;
      if (published.outcome !== 'stale') return;
      logger.warn(
        { offered: hash, inForce: published.hash },
        'the plan file is an older catalogue; the last published one stays in force',
      );
    } catch (error) {
      if (!(error instanceof LogReplacedError || error instanceof ClockDiffersError)) throw error;
    }
  };
}

/** Comes back once there is a catalogue in the read models, or none can come. */
async function untilCatalog({ engine, ops }: Projections, mayWrite: () => boolean): Promise<void> {
  const deadline = Date.now() + CATALOG_WITHIN_MS;
  const mayCome = (): boolean => !['faulted', 'stopped'].includes(engine.status().state) && mayWrite();
  while ((await ops.currentCatalog()) === null && mayCome()) {
    if (Date.now() > deadline) throw new Error('the plan catalogue did not reach the read models');
    await engine.nextChange(100);
  }
}

function watch(metrics: Metrics, { engine, rebuilds: generations }: Projections): void {
  metrics.watchProjection(() => {
    const { handled, generation, lagEvents, lagSeconds, state, fault, setAside, faults } = engine.status();
    return {
      position: Number(handled ?? 0),
      generation,
      lagEvents,
      lagSeconds,
      isFaulted: state === 'faulted',
      isRunning: state === 'leading' || state === 'standby',
      faultPosition: fault === null ? null : Number(fault.position),
      setAsideStreams: setAside.streams,
      faultedUsers: setAside.users,
      faults,
    };
  });
  metrics.watchRebuild(async () => rebuildFigures(await inTime(generations.list(), REBUILD_ASKED_MS)));
}

/** How far the build is that is under way; `null` while there is none, or the database does not say. */
function rebuildFigures(all: readonly Generation[] | null): RebuildFigures | null {
  const build = all?.find(({ role }) => role === 'building');
  const live = all?.find(({ role }) => role === 'live')?.fold?.checkpoint.handled ?? null;
  if (build === undefined || build.fold === null || live === null) return null;
  const { events, checkpoint } = build.fold;
  return {
    part: Math.min(1, Number(checkpoint.handled ?? '0') / Number(live)),
    events,
    eventsPerSecond: events / Math.max(1, (Date.now() - build.startedAt.getTime()) / 1_000),
  };
}
