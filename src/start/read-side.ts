import { inTime } from '../observability/in-time.js';
import type { Metrics } from '../observability/metrics.js';
import {
  type RebuildFigures,
  watchAttention,
  watchProjection,
  watchRebuild,
} from '../observability/watched-gauges.js';
import { AttentionWatch } from '../projections/attention-watch.js';
import { createProjections, type Projections, type ProjectionsOptions } from '../projections/projections.js';
import type { SnapshotCache } from '../projections/read-models/snapshot-cache.js';
import { BUILD_BEGIN, partOf, reckoned } from '../projections/rebuild/build-progress.js';
import type { Generation } from '../projections/rebuild/generation-table.js';
import type { OpenDatabase } from './open-database.js';
import type { OpenLog } from './open-log.js';
import { STEPS, type Starting } from './steps.js';

/** A scrape waits no longer than this for what the database knows of a build. */
const REBUILD_ASKED_MS = 1_000;

/** Makes the read side of this process, and has its figures told; it folds once it is started. */
export function createReadSide(
  starting: Starting,
  { url, pool, source }: OpenDatabase,
  { store, logWatch }: OpenLog,
  cache: SnapshotCache | null,
): Projections {
  const { settings, logger, failures, metrics, tracing, now } = starting;
  const projections = createProjections({
    store,
    streamPrefix: settings.streamPrefix,
    pool,
    source,
    url,
    now,
    onBatch: (batch) => metrics.batch(batch),
    tracing,
    faultLimit: settings.faultLimit,
    cache,
    onFault: (fault) => logger.error({ fault }, 'the projection stopped at a fault'),
    onSetAside: (generation, setAside) =>
      logger.error({ generation, setAside }, 'the projection set something aside and goes on'),
    onTrouble: (err) => failures.trouble('the projection had trouble and goes on', err),
    onConfirmed: (live) => logWatch.confirmed(live),
    ...foldingThreads(starting, url),
  });
  watch(metrics, projections);
  return projections;
}

/** Looks now and then, where this instance leads, for what people should see to. */
export function startAttentionWatch(
  { logger, failures, metrics, stops }: Starting,
  projections: Projections,
): void {
  const watch = new AttentionWatch({
    attention: projections.attention,
    isOurs: () => projections.engine.status().state === 'leading',
    warn: (details, message) => logger.warn(details, message),
    onTrouble: (err) => failures.trouble('what needs attention could not be looked for', err),
  });
  watchAttention(metrics, () => watch.counts);
  watch.start();
  stops.add(STEPS.attention, () => watch.stop());
}

/** Threads as the hooks want them; one that dies takes the service with it. */
function foldingThreads(
  { settings, hooks, logger }: Starting,
  databaseUrl: string,
): Pick<ProjectionsOptions, 'threads'> {
  const { threads, onFatal } = hooks;
  if (threads === 'none') return {};
  const onDied = (err: Error): void => {
    logger.fatal({ err }, 'a thread that folds the log ended');
    onFatal?.(err);
  };
  const { eventStoreUrl, streamPrefix, faultLimit, rebuildThreads, tracing } = settings;
  const place = { databaseUrl, eventStoreUrl, streamPrefix, faultLimit, rebuildThreads, tracing };
  return { threads: { place, onDied, ...(threads === undefined ? {} : { nodeFlags: threads }) } };
}

function watch(metrics: Metrics, { engine, rebuilds }: Projections): void {
  watchProjection(metrics, () => {
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
  watchRebuild(metrics, async () => rebuildFigures(await inTime(rebuilds.list(), REBUILD_ASKED_MS)));
}

/** How far the build is that is under way; `null` while there is none, or the database does not say. */
function rebuildFigures(all: readonly Generation[] | null): RebuildFigures | null {
  const build = all?.find(({ role }) => role === 'building');
  const live = all?.find(({ role }) => role === 'live')?.fold?.checkpoint ?? BUILD_BEGIN;
  if (build === undefined || build.fold === null) return null;
  const { events, checkpoint } = build.fold;
  const { handled } = reckoned({ handled: checkpoint.handled, events }, live);
  const part = partOf(handled, live.handled);
  if (part === null) return null;
  return {
    part,
    events,
    eventsPerSecond: events / Math.max(1, (Date.now() - build.startedAt.getTime()) / 1_000),
  };
}
