import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { EventStore } from '../../src/event-store/event-store.js';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import type { Position } from '../../src/events/stored-event.js';
import { openRebuildProjector } from '../../src/projections/rebuild/rebuild-projector.js';
import type { RebuildRuntime } from '../../src/projections/rebuild/rebuild-runtime.js';
import { EVENTS_OF_A_LIFE, RecordedLives } from '../../test/support/recorded-lives.js';
import type { Latency, PacedReadsJob } from '../load/protocol.js';
import { median, type Note, throughputRow, type WorkReport } from '../report.js';
import { BareClient } from '../rivals/bare-client.js';
import type { BenchContext } from '../support/bench-context.js';
import { type BenchEventStore, benchEventStore } from '../support/bench-event-store.js';
import { untilProjected } from '../support/catch-up.js';
import { expectEqual } from '../support/expect-equal.js';
import { pageRows } from '../support/page-rows.js';
import { ProcessWatch } from '../support/process-watch.js';
import { withClient } from '../support/service-log.js';
import { startService } from '../support/service-process.js';

const READS_A_SECOND = 200;
const CONNECTIONS = 8;
const READERS = 500;
/** Events of a page, as a build reads them. */
const PAGE = 2_000;
const PRICES = { plus: 'price_plus_m', pro: 'price_pro_m' };
/** Where the log of a service is, and how it is paged without doing anything with it. */
interface Ground {
  readonly name: string;
  readonly against: string;
  /** Settings of the service. */
  readonly log: Readonly<Record<string, string>>;
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
  /** Ratios that a build is to reach beside paging. */
  readonly goal: { readonly least: number; readonly aim: number };
  /** Reads everything after `from` and tells how many events of the lives that was. */
  page(databaseUrl: string, from: Position): Promise<number>;
}

/** A log that a running service has folded, and what rebuilds from it. */
interface Scene {
  readonly ground: Ground;
  readonly databaseUrl: string;
  readonly reads: PacedReadsJob;
  readonly rebuilds: RebuildRuntime;
  readonly begin: Position;
  readonly events: number;
  readonly service: ProcessWatch;
}

/** Events per second of a build in a service that is read from meanwhile, beside paging its log and doing nothing. */
export async function benchRebuild(context: BenchContext): Promise<WorkReport> {
  const prefix = `bench-${randomBytes(4).toString('hex')}.`;
  const server = await benchEventStore(context.eventStoreUrl);
  try {
    const reports = [
      await measureOn(context, inPostgres()),
      await measureOn(context, inEventStoreDb(server, prefix)),
    ];
    return {
      rows: reports.flatMap(({ rows }) => rows),
      notes: [
        ...reports.flatMap(({ notes }) => notes),
        { what: 'rebuild on EventStoreDB: measured on', value: server.description },
      ],
    };
  } finally {
    await server.stop();
  }
}

function inPostgres(): Ground {
  return {
    name: 'rebuild',
    against: 'paging the same rows with pg',
    log: {},
    eventStoreUrl: null,
    streamPrefix: 'tenure.',
    goal: { least: 0.15, aim: 0.25 },
    page: (databaseUrl, from) => withClient(databaseUrl, (client) => pageRows(client, from, PAGE)),
  };
}

function inEventStoreDb({ url }: BenchEventStore, streamPrefix: string): Ground {
  const client = new BareClient(url);
  return {
    name: 'rebuild on EventStoreDB',
    against: `bare client, pages of ${PAGE}`,
    log: { EVENTSTORE_URL: url, STREAM_PREFIX: streamPrefix },
    eventStoreUrl: url,
    streamPrefix,
    goal: { least: 0.5, aim: 0.8 },
    page: (_, from) => client.countAfter(from, `${streamPrefix}subscription-`, PAGE),
  };
}

async function measureOn(context: BenchContext, ground: Ground): Promise<WorkReport> {
  const databaseUrl = await context.database.create(ground.name.toLowerCase().replaceAll(' ', '_'));
  const logFile = join(tmpdir(), `tenure-bench-${process.pid}-rebuild.log`);
  const { secret, adminKey } = context;
  const service = await startService({ databaseUrl, secret, adminKey, log: ground.log, logFile });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
  const watch = new ProcessWatch(service.port, { authorization: `Bearer ${adminKey}` });
  const onFault = (fault: unknown): void => {
    process.stderr.write(`${fault}\n`);
  };
  const store = await openEventStore(ground, { pool, databaseUrl, onFault });
  const rebuildProjector = openRebuildProjector({
    onSetAside: () => undefined,
    store,
    streamPrefix: ground.streamPrefix,
    pool,
    url: databaseUrl,
    onFault,
    onTrouble: onFault,
  });
  try {
    const begin = (await store.head()) ?? '0'; // the catalogue
    const { events, readers } = await fill(context, ground, store, service.port);
    const paths = readers.map((userId) => `/v1/users/${userId}/entitlements`);
    const headers = { authorization: `Bearer ${adminKey}` };
    const reads: PacedReadsJob = {
      kind: 'pacedReads',
      port: service.port,
      rate: READS_A_SECOND,
      connections: CONNECTIONS,
      paths,
      headers,
    };
    return await compare(context, {
      ground,
      databaseUrl,
      reads,
      rebuilds: rebuildProjector.rebuilds,
      begin,
      events,
      service: watch,
    });
  } finally {
    watch.stop();
    await rebuildProjector.stop();
    await store.close();
    await pool.end();
    await service.stop();
  }
}

async function fill(
  { effort, adminKey }: BenchContext,
  { streamPrefix }: Ground,
  store: EventStore,
  port: number,
): Promise<{ readonly events: number; readonly readers: readonly string[] }> {
  const events = Number(process.env.REBUILD_EVENTS ?? effort.rebuildEvents);
  const lives = new RecordedLives('r', events / EVENTS_OF_A_LIFE, PRICES);
  await untilProjected(port, adminKey, await lives.record(store, streamPrefix));
  const readers = lives.all.slice(0, READERS).map(({ userId }) => userId);
  return { events: lives.all.length * EVENTS_OF_A_LIFE, readers };
}

async function compare(context: BenchContext, scene: Scene): Promise<WorkReport> {
  const { ground, reads, events } = scene;
  const { effort, generator, database, say } = context;
  const [quiet] = await generator.during(
    reads,
    () => new Promise((resolve) => setTimeout(resolve, effort.warmUpSeconds * 1_000)),
  );
  const rates: { readonly ours: number; readonly theirs: number }[] = [];
  const latencies: Latency[] = [];
  const processor: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    await database.settle();
    const [, paging] = await generator.during(reads, () => timed(() => page(scene)));
    const before = await scene.service.processorSeconds();
    const [read, building] = await generator.during(reads, () => timed(() => build(scene)));
    const rate = { ours: events / building.seconds, theirs: events / paging.seconds };
    rates.push(rate);
    processor.push((await scene.service.processorSeconds()) - before);
    latencies.push(read.latency);
    say(
      `  ${ground.name}, round ${round + 1}: tenure ${rate.ours.toFixed(0)}/s in ${building.seconds.toFixed(1)} s, ` +
        `${ground.against} ${rate.theirs.toFixed(0)}/s; reads p99 ${read.latency.p99.toFixed(1)} ms`,
    );
    await scene.rebuilds.drop(building.result);
  }
  const [ours, theirs] = [median(rates.map((rate) => rate.ours)), median(rates.map((rate) => rate.theirs))];
  const work = `${ground.name}, ${READS_A_SECOND} reads/s going on`;
  return {
    rows: [throughputRow({ work, ours, against: ground.against, theirs, ...ground.goal })],
    notes: [
      ...notesOf(scene, rates, quiet.latency, latencies),
      {
        what: `${ground.name}: processor time of the service in each build, reads included`,
        value: `${processor.map((seconds) => ((seconds * 1e6) / events).toFixed(0)).join(', ')} µs an event`,
      },
      {
        what: `${ground.name}: memory of the service, at the end and at most`,
        value: `${scene.service.newest} MB, ${scene.service.most} MB`,
      },
    ],
  };
}

async function page({ ground, databaseUrl, begin, events }: Scene): Promise<void> {
  expectEqual(`events paged, ${ground.name}`, await ground.page(databaseUrl, begin), events);
}

/** A build from its begin until it is level; the running service folds it. Returns its number. */
async function build({ rebuilds: generations }: Scene): Promise<number> {
  const generation = await generations.begin({ actor: 'bench', reason: 'bench' });
  await generations.untilCaughtUp(generation, () => undefined);
  return generation;
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const began = performance.now();
  const result = await work();
  return { seconds: (performance.now() - began) / 1_000, result };
}

function notesOf(
  { ground: { name, against }, events }: Scene,
  rates: readonly { readonly ours: number; readonly theirs: number }[],
  quiet: Latency,
  during: readonly Latency[],
): readonly Note[] {
  const list = (pick: (rate: (typeof rates)[number]) => number): string =>
    rates.map((rate) => pick(rate).toFixed(0)).join(', ');
  const told = ({ p50, p99, max }: Latency): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(0)} ms`;
  return [
    {
      what: `${name}: ${events} events, rounds`,
      value: `${list(({ ours }) => ours)}/s; ${against} ${list(({ theirs }) => theirs)}/s`,
    },
    { what: `${name}: reads without a rebuild`, value: told(quiet) },
    ...during.map((latency, round) => ({
      what: `${name}: reads during it, round ${round + 1}`,
      value: told(latency),
    })),
  ];
}
