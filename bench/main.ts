/**
 * `npm run bench -- [ingest] [query] [freshness] [rebuild] [scale] [push] [poll] [reads] [follower] [as-of] [audit-log] [audit-tree] [guard] [cost] [usage] [checkout] [shared-cache] [whole] [eventstore] [--whole] [--quick] [--eventstore esdb://…]`: measures the built
 * service beside its floors and rivals, prints the ratios, and writes `bench/results.json` (`results.cost.json`, `results.scale.json`, `results.audit.json`, `results.push.json`, `results.guard.json`, `results.rebuild.json`, `results.whole.json`). See README.md in this folder.
 * Exit code 1 when something failed or an acknowledged event was missing; a ratio that was not reached is a figure, not a
 * failure.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectionStringFault } from '../src/config/environment.js';
import { LoadGenerator } from './load/generator-process.js';
import { table, type WorkReport, writeResults } from './report.js';
import { type BenchContext, FULL, QUICK } from './support/bench-context.js';
import { type BenchDatabaseServer, benchDatabaseServer } from './support/bench-database.js';
import { LongLogs } from './support/long-log.js';
import { machine, versions } from './support/machine.js';
import { startService } from './support/service-process.js';
import { benchAsOf } from './works/as-of.js';
import { benchAuditLog } from './works/audit-log.js';
import { benchAuditTree } from './works/audit-tree.js';
import { benchCheckout } from './works/checkout.js';
import { benchCost } from './works/cost.js';
import { benchEventStoreDb } from './works/eventstore.js';
import { benchFollower } from './works/follower.js';
import { benchFreshness } from './works/freshness.js';
import { benchGuard } from './works/guard.js';
import { benchIngest } from './works/ingest.js';
import { benchJudge } from './works/judge.js';
import { benchPoll } from './works/poll.js';
import { benchPush } from './works/push.js';
import { benchQuery } from './works/query.js';
import { benchReads } from './works/reads.js';
import { benchRebuild } from './works/rebuild.js';
import { benchScale } from './works/scale.js';
import { benchSharedCache } from './works/shared-cache.js';
import { benchUsage } from './works/usage.js';
import { benchWhole } from './works/whole.js';

const ALONE = [
  'rebuild',
  'audit-tree',
  'usage',
  'checkout',
  'shared-cache',
  'guard',
  'push',
  'poll',
  'reads',
  'follower',
  'whole',
];

/** What compares with nobody else keeps its figures apart, so that they do not take the place of the others. */
function resultsOf(onService: readonly string[]): string {
  if (chosen.length === 1 && ALONE.includes(chosen[0] ?? '')) return `results.${chosen[0]}.json`;
  if (onService.length === 0) return chosen.includes('cost') ? 'results.cost.json' : 'results.judge.json';
  if (onService.every((name) => name === 'as-of' || name === 'audit-log')) return 'results.audit.json';
  return onService.join() === 'scale' ? 'results.scale.json' : 'results.json';
}
/** Works on the running service, and those that need a database alone. */
const WORKS: Readonly<Record<string, (context: BenchContext) => Promise<WorkReport>>> = {
  ingest: benchIngest,
  query: benchQuery,
  freshness: benchFreshness,
  rebuild: benchRebuild,
  scale: benchScale,
  push: benchPush,
  poll: benchPoll,
  reads: benchReads,
  follower: benchFollower,
  'as-of': benchAsOf,
  'audit-log': benchAuditLog,
  guard: benchGuard,
  eventstore: benchEventStoreDb,
};
const WITHOUT_SERVICE: Readonly<
  Record<string, (context: Pick<BenchContext, 'database' | 'effort' | 'say'>) => Promise<WorkReport>>
> = {
  'audit-tree': benchAuditTree,
  cost: benchCost,
  judge: benchJudge,
  usage: benchUsage,
  checkout: benchCheckout,
  'shared-cache': benchSharedCache,
  whole: benchWhole,
};
const SERVICE_LOG = join(tmpdir(), `tenure-bench-${process.pid}.log`);
/** What runs when nothing is named. */
const USUAL = ['ingest', 'query', 'freshness'];

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
    eventstore: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in WORKS || name in WITHOUT_SERVICE));
if (unknown.length > 0) {
  console.error(
    `no such benchmark: ${unknown.join(', ')} (there are: ${Object.keys({ ...WORKS, ...WITHOUT_SERVICE }).join(', ')})`,
  );
  process.exit(64);
}
const eventStoreUrl = values.eventstore ?? null;
const fault = eventStoreUrl === null ? null : connectionStringFault(eventStoreUrl);
if (fault !== null) {
  console.error(`--eventstore ${fault}`);
  process.exit(64);
}
const asked = values.whole ? [...positionals, 'whole'] : positionals;
const named = asked.length > 0 ? asked : USUAL;
const chosen = [...new Set(eventStoreUrl === null ? named : [...named, 'eventstore'])];
const effort = values.quick ? QUICK : FULL;

const cleanUps: (() => Promise<void>)[] = [];
let cleaning: Promise<void> | undefined;
/** Stops what was started, the newest first; once. One that cannot be stopped keeps none of the others. */
function cleanUp(): Promise<void> {
  cleaning ??= (async () => {
    for (const undo of cleanUps.reverse()) await undo().catch(console.error);
  })();
  return cleaning;
}

/** Ends the bench in the middle: what is under way loses what it works on, and what it says of that is no news. */
function breakOff(code: number): void {
  void cleanUp().then(() => process.exit(code));
}
process.once('SIGINT', () => breakOff(130));
process.once('SIGTERM', () => breakOff(143));
// Also what a timer or a stream threw, for which nobody waited.
process.on('uncaughtException', (error) => {
  if (cleaning !== undefined) return;
  console.error(error);
  breakOff(1);
});

try {
  await run();
} catch (error) {
  if (cleaning !== undefined) await new Promise(() => undefined); // whoever breaks it off says how it ended
  console.error(error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
// Whatever is left, as a work that failed leaves its services, ends with this process.
process.exit();

async function run(): Promise<void> {
  const began = performance.now();
  const database = await benchDatabaseServer();
  cleanUps.push(() => database.stop());
  const say = (line: string): void => console.log(line);
  const reports: WorkReport[] = [];
  for (const name of chosen) {
    const work = WITHOUT_SERVICE[name];
    if (work === undefined) continue;
    say(name);
    reports.push(await work({ database, effort, say }));
  }
  const onService = chosen.filter((name) => name in WORKS);
  if (onService.length > 0) reports.push(...(await runOnService(database, onService, say)));
  const rows = reports.flatMap((report) => report.rows);
  const notes = reports.flatMap((report) => report.notes);

  const seconds = Math.round((performance.now() - began) / 1_000);
  const file = resultsOf(onService);
  await writeResults(fileURLToPath(new URL(file, import.meta.url)), {
    takenAt: new Date().toISOString(),
    rows,
    notes,
    machine: machine(),
    versions: versions(),
    settings: { ...effort, chosen, quick: values.quick, seconds, postgres: database.description },
  });
  say(`\n${notes.map(({ what, value }) => `${what}: ${value}`).join('\n')}`);
  say(
    `\n${table(rows)}\n\n${seconds} s; written to bench/${file}; log of the service, if any: ${SERVICE_LOG}`,
  );
}

/** Starts the service and does the works that need it. */
async function runOnService(
  database: BenchDatabaseServer,
  names: readonly string[],
  say: (line: string) => void,
): Promise<readonly WorkReport[]> {
  const generator = new LoadGenerator();
  cleanUps.push(() => generator.stop());
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const adminKey = randomBytes(32).toString('hex');
  const serviceDatabaseUrl = await database.create('tenure');
  const service = await startService({
    databaseUrl: serviceDatabaseUrl,
    secret,
    adminKey,
    log: {},
    logFile: SERVICE_LOG,
  });
  cleanUps.push(() => service.stop());

  const longLogs = new LongLogs({ database, secret, adminKey });
  cleanUps.push(() => longLogs.stop());
  const context = {
    effort,
    database,
    longLogs,
    generator,
    service,
    serviceDatabaseUrl,
    eventStoreUrl,
    secret,
    adminKey,
    say,
  };
  const reports: WorkReport[] = [];
  for (const name of names) {
    say(name);
    const report = await WORKS[name]?.(context);
    if (report !== undefined) reports.push(report);
  }
  return reports;
}
