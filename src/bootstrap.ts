import type { RequestListener, Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { KEPT_MS } from './api/health/open-answers.js';
import { withOwnRequestId } from './api/pseudonyms/response-edge.js';
import { toProblem } from './api/to-problem.js';
import { appModule } from './app.module.js';
import { TreeKeeper } from './audit/tree/tree-keeper.js';
import { SEALED_SECRETS, SealedSecrets } from './auth/sealed-secrets.js';
import { Repositories } from './commands/repositories.js';
import type { Settings } from './config/settings.js';
import { DeadlineScheduler } from './deadlines/deadline-scheduler.js';
import { untilLogAnswers } from './event-store/until-log-answers.js';
import { cors } from './http/cors.js';
import { FailureLog } from './http/failure-log.js';
import type { ProblemCode } from './http/problem.js';
import { createLogger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { loadPlanFile } from './plans/plan-file.js';
import { GuardedEventStore } from './projections/engine/guarded-event-store.js';
import type { Projections } from './projections/projections.js';
import { openPseudonyms } from './pseudonyms/open-pseudonyms.js';
import { Reactor } from './reactions/reactor.js';
import { sealKeptSecretsAnew } from './start/kept-secrets.js';
import { LeadershipLog } from './start/leadership-log.js';
import { OfferedCatalog, untilCatalogIsRead } from './start/offered-catalog.js';
import { openCache } from './start/open-cache.js';
import { openDatabase, startClock } from './start/open-database.js';
import { openApplication, openHttp } from './start/open-http.js';
import { openLog } from './start/open-log.js';
import { openTraces } from './start/open-traces.js';
import { createReadSide, startAttentionWatch } from './start/read-side.js';
import { STEPS, type Starting, type TenureHooks } from './start/steps.js';
import { StartSteps, StartStoppedError, StopOrder } from './start/stop-order.js';
import { addressesIn } from './start/user-id-warnings.js';
import { warnOfWeakSecrets } from './start/weak-secret-warnings.js';
import { DoubtWalk } from './stripe/reconciliation/doubt-walk.js';
import { ImportRunner } from './stripe/reconciliation/import/import-runner.js';
import { ReconciliationRunner } from './stripe/reconciliation/reconcile/reconciliation-runner.js';
import { ReconciliationQueue } from './stripe/reconciliation/reconciliation-queue.js';
import { DeliveryHeartbeat } from './webhooks/delivery-heartbeat.js';

export type { TenureHooks } from './start/steps.js';

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
  /** The application without the hot routes in front: another way to the same answers. */
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
  const { signal = new AbortController().signal, now = Date.now } = hooks;
  const logger = hooks.logger ?? createLogger(settings.logLevel);
  warnOfWeakSecrets(settings, logger);
  const stops = new StopOrder((step, err) => logger.error({ step, err }, 'a step of the stop was abandoned'));
  const steps = new StartSteps(stops, signal);
  try {
    const failures = new FailureLog(logger, toProblem, storesOf(settings));
    const metrics = new Metrics();
    const tracing = await openTraces(settings, logger, steps);
    return await start({ settings, hooks, logger, failures, metrics, tracing, now, signal, steps, stops });
  } catch (error) {
    const abandoned = await stops.run();
    throw signal.aborted ? new StartStoppedError(abandoned) : error;
  }
}

/** Which store does not answer, by the problem that says so: one alone where the log is in the database. */
function storesOf({ eventStoreUrl }: Settings): Partial<Record<ProblemCode, string>> {
  const log = eventStoreUrl === null ? 'database' : 'event store';
  return { database_unavailable: 'database', event_store_unavailable: log };
}

/** The steps of a start, in their order; a stop ends them the other way round (`STEPS`). */
async function start(starting: Starting): Promise<Tenure> {
  const { settings, hooks, logger, failures, metrics, tracing, now, signal, steps, stops } = starting;
  const catalog = new OfferedCatalog(await steps.take(loadPlanFile(settings.plansFile)), logger);
  const database = await openDatabase(starting);
  const { pool } = database;
  const clock = await startClock(starting, pool, () => catalog.offerAgain());
  const log = await openLog(starting, database, {
    readCheckpoint: () => projections.readCheckpoint(),
    onForget: () => forget(),
    onHealed: () => catalog.offerAgain(),
  });
  const { logWatch } = log;
  const projections = createReadSide(starting, database, log, await openCache(starting, pool));
  const say = hooks.onProgress ?? ((line: string) => logger.warn(line));
  await steps.take(untilLogAnswers(log.store, { say, signal }));

  const heartbeat = new DeliveryHeartbeat(pool, (err) =>
    failures.trouble('that Stripe delivers is noted later', err),
  );
  stops.add(STEPS.heartbeat, () => heartbeat.close());
  const addresses = settings.ownUserIds.email === 'warn' ? { onAddress: addressesIn(logger) } : {};
  const pseudonyms = await steps.take(
    openPseudonyms(settings.ownUserIds.kept, {
      pool,
      store: log.store,
      streamPrefix: settings.streamPrefix,
      sealing: new SealedSecrets(settings.adminKeys),
      userIdPattern: settings.ownUserIds.pattern,
      ...addresses,
    }),
  );
  const store = new GuardedEventStore(log.store, logWatch, metrics);
  const repositories = new Repositories(store, {
    streamPrefix: settings.streamPrefix,
    now: () => clock.now(),
    mayWrite: () => logWatch.mayWrite(),
    tracing,
    userIds: settings.ownUserIds.kept,
    ...addresses,
  });
  const { openAnswersKeptMs = KEPT_MS } = hooks;
  const given = { settings, now, metrics, logger, failures, openAnswersKeptMs };
  const opened = {
    pool,
    databaseUrl: database.url,
    store,
    repositories,
    projections,
    logWatch,
    heartbeat,
    clock,
    pseudonyms,
  };
  const application = await openApplication(starting, appModule({ ...given, ...opened }));
  const { app, expressListener } = application;

  await steps.take(sealKeptSecretsAnew(pool, app.get<SealedSecrets>(SEALED_SECRETS), logger));
  const deadlines = app.get(DeadlineScheduler);
  const imports = app.get(ImportRunner);
  const reconciliations = app.get(ReconciliationRunner);
  const doubts = app.get(DoubtWalk);
  const reactor = app.get(Reactor);
  const tree = app.get(TreeKeeper);
  const forget = (): void => {
    repositories.forget();
    deadlines.forget();
    projections.reader.changed('all');
  };
  stops.add(STEPS.logWatch, () => logWatch.stop());
  await steps.take(logWatch.start());
  stops.add(STEPS.projections, () => projections.stop());
  await steps.take(projections.start());
  const leadership = new LeadershipLog(() => projections.engine.status(), logger);
  stops.add(STEPS.leadership, async () => leadership.stop());
  stops.add(STEPS.inquiries, () => {
    const closing = [
      app.get(ReconciliationQueue).close(),
      imports.stop(),
      reconciliations.stop(),
      doubts.stop(),
      deadlines.stop(),
    ];
    return Promise.all(closing);
  });
  stops.add(STEPS.reactions, () => reactor.stop());
  stops.add(STEPS.auditTree, () => tree.stop());
  await steps.take(catalog.offerBy(app.get(CommandBus)));
  await steps.take(untilCatalogIsRead(projections, () => logWatch.replaced === null && !clock.differs));
  metrics.watch(
    'tenure_deadline_lag_seconds',
    'By how much the oldest change by time that is not written yet is overdue, where this instance looks.',
    () => deadlines.lagSeconds,
  );
  deadlines.start();
  imports.start();
  reconciliations.start();
  doubts.start();
  reactor.start();
  tree.start();
  startAttentionWatch(starting, projections);

  const { server, url } = await openHttp(starting, application);
  const withCors = cors(expressListener, settings.corsOrigins);
  return {
    app,
    server,
    url,
    pool,
    databaseUrl: database.url,
    projections,
    expressListener: pseudonyms === null ? withCors : withOwnRequestId(withCors),
    close: () => stops.run(),
  };
}
