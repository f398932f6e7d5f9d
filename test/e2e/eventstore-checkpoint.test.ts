import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { metadataOf } from '../../src/commands/aggregate.js';
import { loadSettings } from '../../src/config/settings.js';
import type { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import { OtherLogError } from '../../src/event-store/log-identity.js';
import { GENESIS_HASH, type SealedEvent, sealEvent } from '../../src/events/hash-chain.js';
import { patientStore } from '../support/eventstoredb/patient-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { PLANS, testEnvironment } from '../support/service.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let folder: string;
let server: EventStoreDbServer;
let writer: EventStoreDbEventStore;
let others: EventStoreDbEventStore;
let tenure: Tenure | null = null;
let streams = 0;

beforeEach(async () => {
  [database, server] = await Promise.all([testDatabase(), EventStoreDbServer.start()]);
  folder = await mkdtemp(join(tmpdir(), 'tenure-checkpoint-'));
  await writeFile(join(folder, 'plans.yaml'), PLANS);
  writer = patientStore({ url: server.url });
  others = patientStore({ url: server.url, streamPrefix: 'billing-' });
});
afterEach(async () => {
  await stop();
  await writer.close();
  await others.close();
  await server.stop();
  await database.drop();
  await rm(folder, { recursive: true });
});

function settings(environment: Readonly<Record<string, string>> = {}) {
  const plansFile = join(folder, 'plans.yaml');
  return loadSettings({
    ...testEnvironment(database.url, plansFile),
    EVENTSTORE_URL: server.url,
    ...environment,
  });
}

async function start(): Promise<Tenure> {
  tenure = await createTenure(settings(), { threads: 'none' });
  return tenure;
}

async function stop(): Promise<void> {
  await tenure?.close();
  tenure = null;
}

/** Appends `count` sealed observations of one new customer at once, as another instance would; the last position. */
async function observe(count: number): Promise<string> {
  streams += 1;
  const customer = `cus_${streams}`;
  const stream = `tenure.customer-${customer}`;
  const events: SealedEvent[] = [];
  for (let revision = 0; revision < count; revision += 1) {
    const eventId = `evt_${customer}_${revision}`;
    const stripe = {
      eventId,
      eventType: 'customer.updated',
      created: 1_700_000_000,
      apiVersion: null,
      livemode: false,
    };
    const origin = { actor: 'stripe', correlationId: 'test', causation: eventId, stripe };
    events.push(
      sealEvent({
        type: 'CustomerObserved',
        data: { customer, userId: null },
        stream,
        revision,
        prevHash: events.at(-1)?.hash ?? GENESIS_HASH,
        metadataWithoutHashes: metadataOf(origin, Date.now(), 1),
        idKey: eventId,
      }),
    );
  }
  return (await writer.append(stream, 'no_stream', events)).position;
}

async function foreign(count: number): Promise<string> {
  streams += 1;
  const events = Array.from({ length: count }, (_, index) => ({
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    type: 'Billed',
    data: '{}',
    metadata: '{}',
  }));
  return (await others.append(`billing-${streams}`, 'no_stream', events)).position;
}

/** What the projection has applied since its start, once it is level with `position`. */
async function appliedUpTo({ projections }: Tenure, position: string): Promise<number> {
  const isLevel = (): boolean => {
    const { state, handled } = projections.engine.status();
    return state === 'leading' && handled === position;
  };
  await until(`leads and is level with ${position}`, isLevel);
  expect(projections.engine.status()).toMatchObject({ fault: null, lagEvents: 0 });
  return projections.engine.status().eventsApplied;
}

async function scanned(): Promise<string> {
  const { rows } = await database.pool.query('select scanned::text from tenure.projection_checkpoint');
  return rows[0]?.scanned;
}

describe('a projection on an EventStoreDB that starts again', () => {
  it('goes on after its checkpoint, be that the last record of the log or not', async () => {
    const first = await observe(3);
    let running = await start();
    const catalog = running.projections.engine.status().handled ?? '';
    expect(await appliedUpTo(running, catalog)).toBe(4); // the three and the catalogue
    expect(BigInt(catalog)).toBeGreaterThan(BigInt(first));

    await stop();
    running = await start(); // the checkpoint is the last record
    expect(await appliedUpTo(running, catalog)).toBe(0);
    await stop();
    const later = await observe(2);
    running = await start();
    expect(await appliedUpTo(running, later)).toBe(2);
  });

  it('goes on after events of others alone, whether it ran when they came or not', async () => {
    let running = await start();
    const theirs = await foreign(700);
    await until('it has seen that nothing is ours', async () => (await scanned()) === theirs);
    await stop();
    await foreign(1_200);
    running = await start();
    const ours = await observe(2);
    expect(await appliedUpTo(running, ours)).toBe(2);
    await stop();
    running = await start();
    expect(await appliedUpTo(running, ours)).toBe(0);
  });

  it('applies bursts of another instance once, though the server drops the subscription', async () => {
    const running = await start();
    let last = '';
    for (let burst = 0; burst < 4; burst += 1) last = await observe(1_000);
    expect(await appliedUpTo(running, last)).toBe(4_001); // and the catalogue
  });
});

describe('a database made from one log', () => {
  it('is refused to another by its name, and not written to another server by the same', async () => {
    await start();
    const later = await observe(1);
    await until('it is level', () => tenure?.projections.engine.status().handled === later);
    await stop();
    for (const other of [{ EVENTSTORE_URL: '' }, { STREAM_PREFIX: 'other.' }]) {
      await expect(createTenure(settings(other), { threads: 'none' })).rejects.toBeInstanceOf(OtherLogError);
    }
    const older = await EventStoreDbServer.start();
    try {
      tenure = await createTenure(settings({ EVENTSTORE_URL: older.url }), { threads: 'none' });
      const { url } = tenure;
      await until('it says so', async () => {
        const ready = await fetch(`${url}/health/ready`);
        return ready.status === 200 && (await ready.text()).includes('"problems":["log_replaced"]');
      });
      expect(older.log.written()).toEqual([]);
    } finally {
      await stop();
      await older.stop();
    }
  });
});
