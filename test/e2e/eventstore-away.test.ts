import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { wholeLog } from '../support/log.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { ADMIN_KEY, PLANS, testEnvironment } from '../support/service.js';
import { freePort, ServiceProcess } from '../support/service-process.js';
import { customerEvent, SECRET, signedHeaders } from '../support/stripe-events.js';
import { until } from '../support/until.js';

const isSoak = process.env.FAULT_WEBHOOKS !== undefined;
const WEBHOOKS = Number(process.env.FAULT_WEBHOOKS ?? 120);
const AWAY_MS = 1_000 * Number(process.env.FAULT_SECONDS ?? 1);
const CONNECTIONS = 16;
/** Milliseconds after which whoever delivers has given up. */
const PATIENCE_MS = 20_000;

let database: TestDatabase;
let folder: string;
let server: EventStoreDbServer;
let service: ServiceProcess;
let environment: Record<string, string>;
let url: string;

beforeEach(async () => {
  [database, server] = await Promise.all([testDatabase(), EventStoreDbServer.start()]);
  folder = await mkdtemp(join(tmpdir(), 'tenure-away-'));
  const plansFile = join(folder, 'plans.yaml');
  await writeFile(plansFile, PLANS);
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  environment = { ...testEnvironment(database.url, plansFile), EVENTSTORE_URL: server.url, PORT: port };
});
afterEach(async () => {
  server.thaw();
  await service.kill('SIGKILL');
  await server.stop();
  await database.drop();
  await rm(folder, { recursive: true });
});

interface Outcomes {
  readonly ids: readonly string[];
  readonly statuses: ReadonlyMap<number, number>;
  /** Events that were acknowledged as new more than once. */
  readonly appliedAgain: readonly string[];
  readonly last: bigint;
}

/** Starts the service and delivers every webhook until it is acknowledged, as Stripe does, and has `disturb` run when a third are. */
async function deliverAll(disturb: () => Promise<void>): Promise<Outcomes> {
  const deliveries = Array.from({ length: WEBHOOKS }, () => customerEvent());
  const ids = deliveries.map((body): string => JSON.parse(body).id);
  const statuses = new Map<number, number>();
  const applied = new Set<string>();
  const appliedAgain: string[] = [];
  let acknowledged = 0;
  let last = 0n;
  let disturbed: Promise<void> | null = null;
  service = new ServiceProcess(environment);
  await service.isReady(url);
  const work = deliveries.values();
  const connection = async (): Promise<void> => {
    for (const body of work) {
      for (;;) {
        const response = await fetch(`${url}/webhooks/stripe`, {
          method: 'POST',
          body,
          headers: signedHeaders(body, SECRET),
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        const answer = JSON.parse(await response.text());
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        if (response.status === 200) {
          const { id } = JSON.parse(body);
          if (answer.outcome === 'applied' && applied.has(id)) appliedAgain.push(id);
          applied.add(id);
          if (BigInt(answer.position) > last) last = BigInt(answer.position);
          acknowledged += 1;
          break;
        }
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        await pause(50);
      }
      if (disturbed === null && acknowledged > WEBHOOKS / 3) disturbed = disturb();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  await disturbed;
  return { ids, statuses, appliedAgain, last };
}

/** All acknowledged, each once in the log, the read models level with it, and the process as well as before. */
async function expectNothingLost({ ids, statuses, appliedAgain, last }: Outcomes): Promise<void> {
  expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(appliedAgain).toEqual([]);
  const store = new EventStoreDbEventStore({
    url: server.url,
    streamPrefix: 'tenure.',
    onFault: () => undefined,
  });
  const logged = (await wholeLog(store)).map(({ metadata }) => JSON.parse(metadata).stripeEventId);
  await store.close();
  expect(logged.filter((id) => id !== null).sort()).toEqual([...ids].sort());

  const asked = await fetch(`${url}/v1/users/anyone/entitlements?minPosition=${last}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  expect(asked.status).toBe(200);
  await service.isReady(url);
  expect(await service.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
}

describe('webhooks while the EventStoreDB is disturbed', () => {
  it('are answered 503 while it is down, and lose and double nothing', async () => {
    const outcomes = await deliverAll(async () => {
      await server.stop();
      await pause(AWAY_MS);
      await server.start();
    });
    expect(outcomes.statuses.get(503)).toBeGreaterThan(0);
    await expectNothingLost(outcomes);
  }, 120_000);

  const frozen = async (): Promise<void> => {
    await expectNothingLost(
      await deliverAll(async () => {
        server.freeze();
        await pause(AWAY_MS);
        server.thaw();
      }),
    );
  };
  // A silent log is tried in test/e2e/silent-network.test.ts too.
  if (isSoak) it('are answered in time while it is frozen, and lose and double nothing', frozen, 120_000);

  it('lose and double nothing when every fiftieth connection is cut after storing', async () => {
    server.faults.cutAppends(50, 'after storing');
    const outcomes = await deliverAll(async () => undefined);
    server.faults.stopCutting();
    await expectNothingLost(outcomes);
  }, 120_000);
});

describe('a start while the EventStoreDB is away', () => {
  const waits = /^tenure: the event store does not answer, the start waits for it: .*\n$/;

  it('says so in one line, ends with 0 when it is told to stop, and else goes on when the store is back', async () => {
    await server.stop();
    service = new ServiceProcess(environment);
    await until('it says so', () => waits.test(service.complaints));
    expect(await service.kill('SIGTERM')).toMatchObject({ code: 0, stdout: '' });

    service = new ServiceProcess(environment);
    await until('it says so again', () => waits.test(service.complaints));
    await server.start();
    await service.isReady(url);
    expect(service.complaints).toMatch(waits);
  }, 120_000);
});
