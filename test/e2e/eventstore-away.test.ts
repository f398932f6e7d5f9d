import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import type { Answer } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { PLANS, startService, type TestService, testEnvironment } from '../support/service.js';
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
let server: EventStoreDbServer;

beforeEach(async () => {
  [database, server] = await Promise.all([testDatabase(), EventStoreDbServer.start()]);
});
afterEach(async () => {
  server.thaw();
  await server.stop();
  await database.drop();
});

interface Outcomes {
  readonly ids: readonly string[];
  readonly statuses: ReadonlyMap<number, number>;
  /** Events that were acknowledged as new more than once. */
  readonly appliedAgain: readonly string[];
  readonly last: bigint;
}

/** Does something to the server; calls `begun` once it is disturbed, and may look at what was answered since. */
type Disturb = (begun: () => void, statuses: ReadonlyMap<number, number>) => Promise<void>;

/**
 * Delivers every webhook until it is acknowledged, as Stripe does, and has `disturb` run when a third are. The last third
 * goes out once it has begun.
 */
async function deliverAll(url: string, disturb: Disturb): Promise<Outcomes> {
  const deliveries = Array.from({ length: WEBHOOKS }, () => customerEvent());
  const ids = deliveries.map((body): string => JSON.parse(body).id);
  const statuses = new Map<number, number>();
  const applied = new Set<string>();
  const appliedAgain: string[] = [];
  let acknowledged = 0;
  let last = 0n;
  let disturbed: Promise<void> | null = null;
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const work = deliveries.entries();
  const connection = async (): Promise<void> => {
    for (const [n, body] of work) {
      if (n > (WEBHOOKS * 2) / 3) await hasBegun;
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
      if (disturbed === null && acknowledged > WEBHOOKS / 3) disturbed = disturb(begun, statuses);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  await disturbed;
  return { ids, statuses, appliedAgain, last };
}

/** A service with its log on the server, to which webhooks are delivered while `disturb` runs: nothing is lost or double afterwards. */
async function expectNothingLost(
  disturb: (service: TestService, ...rest: Parameters<Disturb>) => Promise<void>,
): Promise<void> {
  const environment = { EVENTSTORE_URL: server.url };
  const stores = { database, environment, prefix: 'tenure.', drop: async () => undefined };
  const service = await startService({ stores });
  try {
    const outcomes = await deliverAll(service.url, (...rest) => disturb(service, ...rest));
    server.faults.stopCutting();
    expect([...outcomes.statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(outcomes.appliedAgain).toEqual([]);
    const logged = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
    const ids = logged.map(({ metadata }) => JSON.parse(metadata).stripeEventId);
    expect(ids.filter((id) => id !== null).sort()).toEqual([...outcomes.ids].sort());
    await service.entitlements('anyone', String(outcomes.last));
    expect((await service.get('/health/ready')).status).toBe(200);
  } finally {
    await service.close();
  }
}

describe('Webhooks while the EventStoreDB is disturbed', () => {
  it('are answered 503 while it is down, as auditors are, and lose and double nothing', async () => {
    await expectNothingLost(async (service, begun, statuses) => {
      const look = (what: string) => service.ask('GET', `/v1/audit/${what}`);
      expect((await look('users/ann/history')).status).toBe(200);
      await server.stop();
      begun();
      await until('a webhook is answered 503', () => statuses.has(503));
      // That of the user was recorded within this hour: nothing more is to be appended for it.
      const paths = ['users/ann/history', 'users/bob/history', 'events', 'entitlements'];
      const refused: Answer[] = [];
      for (const path of paths) refused.push(await look(path));
      await pause(AWAY_MS);
      await server.start();
      const codes = refused.map(({ body }) => Reflect.get(Object(body), 'code'));
      expect(codes).toEqual(paths.map(() => 'event_store_unavailable'));
    });
  });

  const frozen = async (): Promise<void> => {
    await expectNothingLost(async (_, begun) => {
      server.freeze();
      begun();
      await pause(AWAY_MS);
      server.thaw();
    });
  };
  // A silent log is tried in test/e2e/silent-network.test.ts too.
  if (isSoak) it('are answered in time while it is frozen, and lose and double nothing', frozen);

  it('lose and double nothing when every fiftieth connection is cut after storing', async () => {
    server.faults.cutAppends(50, 'after storing');
    await expectNothingLost(async (_, begun) => begun());
  });
});

describe('A start while the EventStoreDB is away', () => {
  const waits = /^tenure: the event store does not answer, the start waits for it: .*\n$/;

  it('says so in one line, ends with 0 when it is told to stop, and else goes on when the store is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-away-'));
    const plansFile = join(folder, 'plans.yaml');
    await writeFile(plansFile, PLANS);
    const port = String(await freePort());
    const environment = {
      ...testEnvironment(database.url, plansFile),
      EVENTSTORE_URL: server.url,
      PORT: port,
    };
    await server.stop();
    let service = new ServiceProcess(environment);
    try {
      await until('it says so', () => waits.test(service.complaints));
      expect(await service.kill('SIGTERM')).toMatchObject({ code: 0, stdout: '' });

      service = new ServiceProcess(environment);
      await until('it says so again', () => waits.test(service.complaints));
      await server.start();
      await service.isReady(`http://127.0.0.1:${port}`);
      expect(service.complaints).toMatch(waits);
    } finally {
      await service.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });
});
