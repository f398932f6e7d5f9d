import { median, type Row, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { describeRuns, type Measured, measuredOn, perSecond } from '../support/closed-side.js';
import { look, makeUsers, USER } from './query.js';

const CONNECTIONS = 16;
const TAG = 'reads';
/** Users in one request of the batch. */
const BATCH = 100;

/** A way to read, each time of another user. */
interface Way {
  readonly name: string;
  readonly path: (userId: string) => string;
  /** JSON that is posted, of the user whose turn it is; left out: asked for by GET. */
  readonly body?: (userId: string, all: readonly string[]) => string;
  readonly status: number;
  /** Users that one request tells of. */
  readonly users: number;
  /** The ratio to plain snapshots, user by user, that must be reached. */
  readonly least: number;
}

const SNAPSHOT: Way = {
  name: 'GET entitlements, 200',
  path: (userId) => `/v1/users/${userId}/entitlements`,
  status: 200,
  users: 1,
  least: 1,
};
const WAYS: readonly Way[] = [
  {
    name: `users of batches of ${BATCH}`,
    path: () => '/v1/entitlements/batch',
    body: (userId, all) => JSON.stringify({ userIds: turned(all, userId).slice(0, BATCH) }),
    status: 200,
    users: BATCH,
    least: 0.5,
  },
  {
    name: 'all flags of a user by OFREP, 200',
    path: () => '/ofrep/v1/evaluate/flags',
    body: (userId) => JSON.stringify({ context: { targetingKey: userId } }),
    status: 200,
    users: 1,
    least: 0.5,
  },
  {
    name: 'GET a feature of a user',
    path: (userId) => `/v1/users/${userId}/features/export`,
    status: 200,
    users: 1,
    least: 0.03,
  },
  {
    name: 'GET /access/v1/check, for proxies',
    path: (userId) => `/access/v1/check?feature=export&user=${userId}`,
    status: 204,
    users: 1,
    least: 0.03,
  },
  {
    name: 'POST a token of a user',
    path: (userId) => `/v1/users/${userId}/token`,
    body: () => '',
    status: 200,
    users: 1,
    least: 0.08,
  },
];

/** The other ways to read what users may do, key checked, each beside the plain snapshots of the same users. */
export async function benchReads(context: BenchContext): Promise<WorkReport> {
  const paths = await makeUsers(context, TAG);
  const [first] = paths;
  if (first === undefined) throw new Error('no users');
  await look(context, first);
  const userIds = paths.map((path) => USER.exec(path)?.[1] ?? '');
  const all = [SNAPSHOT, ...WAYS];
  const results = new Map(all.map((way) => [way, [] as Measured[]]));
  const { effort, say } = context;
  for (const way of all) await run(context, way, userIds, effort.warmUpSeconds / 2);
  for (let round = 0; round < effort.rounds; round += 1) {
    for (const way of all) results.get(way)?.push(await run(context, way, userIds, effort.querySeconds));
    say(`  reads, round ${round + 1}`);
  }
  const usersPerSecond = (way: Way): number => median((results.get(way) ?? []).map(perSecond)) * way.users;
  const plain = usersPerSecond(SNAPSHOT);
  const rowOf = (way: Way): Row =>
    throughputRow({
      work: way.name,
      ours: usersPerSecond(way),
      against: SNAPSHOT.name,
      theirs: plain,
      least: way.least,
      aim: null,
    });
  return {
    rows: WAYS.map(rowOf),
    notes: all.map((way) => ({ what: `reads: ${way.name}`, value: describeRuns(results.get(way) ?? []) })),
  };
}

async function run(
  { service, generator, adminKey }: BenchContext,
  way: Way,
  userIds: readonly string[],
  seconds: number,
): Promise<Measured> {
  const { body, status } = way;
  const result = await measuredOn(service, () =>
    generator.run({
      kind: 'reads',
      port: service.port,
      connections: CONNECTIONS,
      seconds,
      paths: userIds.map(way.path),
      headers: { authorization: `Bearer ${adminKey}` },
      etags: [],
      ...(body === undefined ? {} : { bodies: userIds.map((userId) => body(userId, userIds)) }),
      expectedStatus: status,
    }),
  );
  if (Object.keys(result.unexpected).length > 0) {
    throw new Error(`${way.name} was answered ${JSON.stringify(result.unexpected)}`);
  }
  return result;
}

/** A list, begun at one of its members. */
function turned(all: readonly string[], first: string): readonly string[] {
  const at = all.indexOf(first);
  return [...all.slice(at), ...all.slice(0, at)];
}
