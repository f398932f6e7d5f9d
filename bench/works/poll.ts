import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { describeRuns, type Measured, measuredOn, perSecond, rates } from '../support/closed-side.js';
import { type BenchServer, startRival } from '../support/rival-process.js';
import { look, makeUsers, startFloor, USER } from './query.js';

const CONNECTIONS = 16;
const TAG = 'poll';
const FLAGS = '/ofrep/v1/evaluate/flags';
const NAMES = ['snapshots', 'flags', 'floor', 'posted', 'express'] as const;

/** Answers 304 as long as it is asked. */
type Side = (seconds: number) => Promise<Measured>;

/**
 * Polls that find nothing new, key checked, of 500 users in turn: snapshots beside bare `node:http` and Express, all flags of a
 * user by OFREP beside snapshots and beside bare `node:http` that reads the same body, and this beside what it takes without one.
 */
export async function benchPoll(context: BenchContext): Promise<WorkReport> {
  const paths = await makeUsers(context, TAG);
  const [first] = paths;
  if (first === undefined) throw new Error('no users');
  const snapshots = await Promise.all(paths.map((path) => look(context, path)));
  const bodies = paths.map((path) => JSON.stringify({ context: { targetingKey: USER.exec(path)?.[1] } }));
  const flagEtags = await Promise.all(bodies.map((body) => etagOfFlags(context, body)));
  const floor = await startFloor(context, snapshots[0]);
  const express = await startRival('bare-express', { BENCH_BODY: snapshots[0]?.body ?? '' });
  try {
    const theirs = await fetch(`http://127.0.0.1:${express.port}${first}`);
    await theirs.arrayBuffer();
    const expressEtag = theirs.headers.get('etag') ?? '';
    const job = {
      kind: 'reads',
      connections: CONNECTIONS,
      headers: { authorization: `Bearer ${context.adminKey}` },
      expectedStatus: 304,
    } as const;
    const side =
      (server: BenchServer, etags: readonly string[], posted: readonly string[] | null): Side =>
      (seconds) =>
        measuredOn(server, () =>
          context.generator.run({
            ...job,
            port: server.port,
            seconds,
            etags: [...etags],
            ...(posted === null ? { paths } : { paths: posted.map(() => FLAGS), bodies: [...posted] }),
          }),
        );
    const floorEtags = paths.map(() => snapshots[0]?.etag ?? '');
    const { service } = context;
    const sides = {
      snapshots: side(
        service,
        snapshots.map(({ etag }) => etag),
        null,
      ),
      flags: side(service, flagEtags, bodies),
      floor: side(floor, floorEtags, null),
      posted: side(floor, floorEtags, bodies),
      express: side(
        express,
        paths.map(() => expressEtag),
        null,
      ),
    } satisfies Readonly<Record<string, Side>>;
    return await compare(context, sides);
  } finally {
    await express.stop();
    await floor.stop();
  }
}

async function compare(
  { effort, say }: BenchContext,
  sides: Readonly<Record<(typeof NAMES)[number], Side>>,
): Promise<WorkReport> {
  const none = (): Measured[] => [];
  const results = { snapshots: none(), flags: none(), floor: none(), posted: none(), express: none() };
  for (const name of NAMES) await sides[name](effort.warmUpSeconds / 2);
  for (let round = 0; round < effort.rounds; round += 1) {
    for (const name of NAMES) results[name].push(await sides[name](effort.querySeconds));
    say(
      `  poll, round ${round + 1}: ${NAMES.map((name) => `${name} ${rates(results[name].slice(-1))}/s`).join(', ')}`,
    );
  }
  const [snapshots = 0, flags = 0, floor = 0, posted = 0, express = 0] = NAMES.map((name) =>
    median(results[name].map(perSecond)),
  );
  return {
    rows: [
      throughputRow({
        work: 'GET entitlements that finds nothing new, 304',
        ours: snapshots,
        against: 'bare node:http, key checked, its 304',
        theirs: floor,
        least: 0.9,
        aim: 1,
      }),
      throughputRow({
        work: 'GET entitlements that finds nothing new, 304',
        ours: snapshots,
        against: 'bare Express, its 304',
        theirs: express,
        least: 1,
        aim: 1.5,
      }),
      throughputRow({
        work: 'all flags of a user by OFREP, 304',
        ours: flags,
        against: 'GET entitlements, 304',
        theirs: snapshots,
        least: 0.8,
        aim: null,
      }),
      throughputRow({
        work: 'all flags of a user by OFREP, 304',
        ours: flags,
        against: 'bare node:http, key checked, the same POST, its 304',
        theirs: posted,
        least: 0.9,
        aim: 1,
      }),
    ],
    notes: [
      ...NAMES.map((name) => ({ what: `poll: ${name}`, value: describeRuns(results[name]) })),
      {
        what: 'poll: bare node:http, a POST with the body beside a GET',
        value: `${(posted / floor).toFixed(2)}×`,
      },
    ],
  };
}

/** The ETag of all flags of a user. */
async function etagOfFlags({ service, adminKey }: BenchContext, body: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${service.port}${FLAGS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body,
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${FLAGS} answered ${answer.status}: ${text}`);
  return answer.headers.get('etag') ?? '';
}
