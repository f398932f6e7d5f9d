import type { Result } from '../load/protocol.js';
import { EVENTS_PER_LIFE, userOf } from '../load/subscription-lives.js';
import { median, type Row, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { startRival } from '../support/rival-process.js';

const CONNECTIONS = 16;
const USERS = 500;
const TAG = 'query';
const EXPRESS = 'bare Express, a constant';

/** Reads per second of many users' entitlements, key checked, whole (200) and unchanged (304). */
export async function benchQuery(context: BenchContext): Promise<WorkReport> {
  const paths = await makeUsers(context, TAG);
  const [first] = paths;
  if (first === undefined) throw new Error('no users');
  const ours = await Promise.all(paths.map((path) => look(context, path)));
  const express = await startRival('bare-express', { BENCH_BODY: ours[0]?.body ?? '' });
  try {
    const theirs = await fetch(`http://127.0.0.1:${express.port}${first}`);
    const constant = await theirs.text();
    const theirEtag = theirs.headers.get('etag') ?? '';
    const authorization = { authorization: `Bearer ${context.adminKey}` };
    const sides = {
      ours: (expectedStatus: number, seconds: number) =>
        context.generator.run({
          kind: 'reads',
          port: context.service.port,
          connections: CONNECTIONS,
          seconds,
          paths,
          headers: authorization,
          etags: expectedStatus === 304 ? ours.map(({ etag }) => etag) : [],
          expectedStatus,
        }),
      theirs: (expectedStatus: number, seconds: number) =>
        context.generator.run({
          kind: 'reads',
          port: express.port,
          connections: CONNECTIONS,
          seconds,
          paths,
          headers: authorization,
          etags: expectedStatus === 304 ? paths.map(() => theirEtag) : [],
          expectedStatus,
        }),
    };
    const report = await compare(context, sides);
    return {
      ...report,
      notes: [
        ...report.notes,
        {
          what: 'query: bytes of a body',
          value: `tenure ${Buffer.byteLength(ours[0]?.body ?? '')}, Express ${Buffer.byteLength(constant)}`,
        },
      ],
    };
  } finally {
    await express.stop();
  }
}

type Side = (expectedStatus: number, seconds: number) => Promise<Result>;

async function compare(context: BenchContext, sides: { ours: Side; theirs: Side }): Promise<WorkReport> {
  const rows: Row[] = [];
  const notes: WorkReport['notes'][number][] = [];
  for (const status of [200, 304]) {
    const ours: Result[] = [];
    const theirs: Result[] = [];
    await sides.ours(status, context.effort.warmUpSeconds / 2);
    await sides.theirs(status, context.effort.warmUpSeconds / 2);
    for (let round = 0; round < context.effort.rounds; round += 1) {
      ours.push(await sides.ours(status, context.effort.querySeconds));
      theirs.push(await sides.theirs(status, context.effort.querySeconds));
      context.say(
        `  query ${status}, round ${round + 1}: tenure ${rates(ours.slice(-1))}/s, Express ${rates(theirs.slice(-1))}/s`,
      );
    }
    rows.push(
      throughputRow({
        work: `GET entitlements, ${status}`,
        ours: median(ours.map(perSecond)),
        against: `${EXPRESS}, ${status}`,
        theirs: median(theirs.map(perSecond)),
        least: 1.5,
        aim: 3,
      }),
    );
    notes.push({ what: `query ${status}: tenure`, value: describe(ours) });
    notes.push({ what: `query ${status}: Express`, value: describe(theirs) });
  }
  return { rows, notes };
}

/** Requests that a run did in a second. */
export function perSecond(result: Result): number {
  return result.done / result.seconds;
}

/** The rates of runs, for people. */
export function rates(results: readonly Result[]): string {
  return results.map((result) => Math.round(perSecond(result))).join(', ');
}

/** What is noted of a side's runs. */
export function describe(results: readonly Result[]): string {
  const middle = (pick: (result: Result) => number): string => median(results.map(pick)).toFixed(2);
  return (
    `p50 ${middle((r) => r.latency.p50)} ms, p99 ${middle((r) => r.latency.p99)} ms; rounds ${rates(results)}/s; ` +
    `generator ${middle((r) => r.generatorCpu)} of a core`
  );
}

/** Gives `USERS` users a whole life of a subscription each, through the front door; their snapshots' paths. */
export async function makeUsers(context: BenchContext, tag: string): Promise<string[]> {
  await context.generator.run({
    kind: 'webhooks',
    port: context.service.port,
    connections: 16,
    seconds: 60,
    tag,
    count: USERS * EVENTS_PER_LIFE,
    secret: context.secret,
  });
  await catchUp(context);
  return Array.from({ length: USERS }, (_, number) => `/v1/users/${userOf(tag, number)}/entitlements`);
}

/** The snapshot at a path, which must be of a user who pays. */
export async function look(context: BenchContext, path: string): Promise<{ body: string; etag: string }> {
  const answer = await fetch(`http://127.0.0.1:${context.service.port}${path}`, {
    headers: { authorization: `Bearer ${context.adminKey}` },
  });
  const body = await answer.text();
  if (answer.status !== 200 || !body.includes('"plus"'))
    throw new Error(`${path} answered ${answer.status}: ${body}`);
  return { body, etag: answer.headers.get('etag') ?? '' };
}
