import { EVENTS_PER_LIFE, userOf } from '../load/subscription-lives.js';
import { median, type Row, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { describeRuns, type Measured, measuredOn, perSecond, rates } from '../support/closed-side.js';
import { type BenchServer, startRival } from '../support/rival-process.js';

const CONNECTIONS = 16;
const USERS = 500;
const TAG = 'query';
const FLOOR = 'bare node:http, key checked, a constant';
const EXPRESS = 'bare Express, a constant';
/** The id of a user in the path of their snapshot. */
export const USER = /^\/v1\/users\/([^/]+)\//;
const NAMES = ['tenure', 'node:http', 'Express'] as const;

/** Reads per second of many users' entitlements, key checked, whole (200) and unchanged (304). */
export async function benchQuery(context: BenchContext): Promise<WorkReport> {
  const paths = await makeUsers(context, TAG);
  const [first] = paths;
  if (first === undefined) throw new Error('no users');
  const ours = await Promise.all(paths.map((path) => look(context, path)));
  const floor = await startFloor(context, ours[0]);
  const express = await startRival('bare-express', { BENCH_BODY: ours[0]?.body ?? '' });
  try {
    const theirs = await fetch(`http://127.0.0.1:${express.port}${first}`);
    const constant = await theirs.text();
    const theirEtag = theirs.headers.get('etag') ?? '';
    const side =
      (server: BenchServer, etagOf: (index: number) => string): Side =>
      (expectedStatus, seconds) =>
        measuredOn(server, () =>
          context.generator.run({
            kind: 'reads',
            port: server.port,
            connections: CONNECTIONS,
            seconds,
            paths,
            headers: { authorization: `Bearer ${context.adminKey}` },
            etags: expectedStatus === 304 ? paths.map((_, index) => etagOf(index)) : [],
            expectedStatus,
          }),
        );
    const report = await compare(context, {
      tenure: side(context.service, (index) => ours[index]?.etag ?? ''),
      'node:http': side(floor, () => ours[0]?.etag ?? ''),
      Express: side(express, () => theirEtag),
    });
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
    await floor.stop();
  }
}

/** Starts the floor: `node:http` that checks the key of the bench and answers with a snapshot of ours. */
export function startFloor(
  { adminKey }: Pick<BenchContext, 'adminKey'>,
  snapshot: { readonly body: string; readonly etag: string } | undefined,
): Promise<BenchServer> {
  const { body = '', etag = '' } = snapshot ?? {};
  return startRival('bare-http', { BENCH_KEY: adminKey, BENCH_BODY: body, BENCH_ETAG: etag });
}

type Side = (expectedStatus: number, seconds: number) => Promise<Measured>;

async function compare(
  { effort, say }: BenchContext,
  sides: Readonly<Record<(typeof NAMES)[number], Side>>,
): Promise<WorkReport> {
  const rows: Row[] = [];
  const notes: WorkReport['notes'][number][] = [];
  for (const status of [200, 304]) {
    const none = (): Measured[] => [];
    const results = { tenure: none(), 'node:http': none(), Express: none() };
    for (const name of NAMES) await sides[name](status, effort.warmUpSeconds / 2);
    for (let round = 0; round < effort.rounds; round += 1) {
      for (const name of NAMES) results[name].push(await sides[name](status, effort.querySeconds));
      say(
        `  query ${status}, round ${round + 1}: ${NAMES.map((name) => `${name} ${rates(results[name].slice(-1))}/s`).join(', ')}`,
      );
    }
    const [ours = 0, floor = 0, express = 0] = NAMES.map((name) => median(results[name].map(perSecond)));
    const work = `GET entitlements, ${status}`;
    rows.push(
      throughputRow({ work, ours, against: `${FLOOR}, ${status}`, theirs: floor, least: 0.9, aim: 1 }),
      throughputRow({ work, ours, against: `${EXPRESS}, ${status}`, theirs: express, least: 1, aim: 1.5 }),
    );
    for (const name of NAMES)
      notes.push({ what: `query ${status}: ${name}`, value: describeRuns(results[name]) });
  }
  return { rows, notes };
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
    order: 'lives',
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
