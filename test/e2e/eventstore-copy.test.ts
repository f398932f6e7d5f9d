import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifierTextsOf } from '../../src/audit/tree/audit-key.js';
import { readAuditKeys } from '../../src/audit/tree/audit-key.repository.js';
import { type LogTree, readTrees } from '../../src/audit/tree/tree.repository.js';
import { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { copyEvents } from '../../src/cli/events-copy.js';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import type { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { buyer, PRO } from '../support/buyer.js';
import { patientStore } from '../support/eventstoredb/patient-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { testFolder } from '../support/folder.js';
import { wholeLog } from '../support/log.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

let from: TestService;
let server: EventStoreDbServer;
let target: EventStoreDbEventStore;
let users: string[];
beforeEach(async () => {
  [from, server] = await Promise.all([
    startService({ environment: SHIPPED_PLANS }),
    EventStoreDbServer.start(),
  ]);
  target = patientStore({ url: server.url });
  users = [];
  for (let n = 0; n < 6; n += 1) {
    const user = `user${n}`;
    users.push(user);
    const who = buyer(user);
    const told = [who.started('active'), who.pays('subscription_create'), who.switchesTo(PRO)];
    for (const { body } of n % 2 === 0 ? told : told.slice(0, 2)) await from.receive(body);
  }
});
afterEach(async () => {
  await target.close();
  await from.close();
  await server.stop();
});

const bare = (events: readonly StoredEvent[]) => events.map(({ position: _, ...event }) => event);
const sourceLog = () => wholeLog(from.tenure.app.get<EventStore>(EVENT_STORE));

async function copy(): Promise<string[]> {
  const lines: string[] = [];
  await copyEvents({
    databaseUrl: from.tenure.databaseUrl,
    eventStoreUrl: server.url,
    prefix: 'tenure.',
    say: (line) => lines.push(line),
  });
  return lines;
}

/** What a service says of every user once its read models are level with its log, but for positions. */
async function snapshotsOf(service: TestService): Promise<unknown[]> {
  const { app, projections } = service.tenure;
  const head = await app.get<EventStore>(EVENT_STORE).head();
  await until('the read models are level', () => projections.engine.status().handled === head);
  return Promise.all(
    users.map(async (user) => {
      const { position, ...snapshot } = await service.entitlements(user);
      expect(typeof position).toBe('string');
      return snapshot;
    }),
  );
}

async function newestTree(service: TestService): Promise<LogTree | undefined> {
  return (await readTrees(service.tenure.pool))[0];
}

describe('tenure events copy', () => {
  it('brings every event over as it is, and the read models and the tree made of the copy are equal', async () => {
    const folder = await testFolder('tenure-copy-');
    const file = join(folder, 'checkpoint');
    await from.tenure.app.get(TreeKeeper).keepUp();
    await writeFile(file, (await newestTree(from))?.checkpoint ?? '');
    const source = await sourceLog();
    expect((await copy()).at(-2)).toMatch(`done: ${source.length} copied, 0 were there`);
    expect(bare(await wholeLog(target))).toEqual(bare(source));
    const to = await startService({ environment: { ...SHIPPED_PLANS, EVENTSTORE_URL: server.url } });
    try {
      expect(await snapshotsOf(to)).toEqual(await snapshotsOf(from));
      await to.tenure.app.get(TreeKeeper).keepUp();
      const out: string[] = [];
      const keys = [from, to].map(async (service) => {
        const [own] = await readAuditKeys(service.tenure.pool);
        const origin = (await newestTree(service))?.origin ?? '';
        return own === undefined ? [] : verifierTextsOf(own, origin);
      });
      const code = await runCli(
        ['audit', 'verify', '--json', '--against', file, '--key', ...(await Promise.all(keys)).flat()],
        { environment: to.environment, out: (said) => out.push(said), err: () => undefined },
      );
      const { checkpoints } = JSON.parse(out.join(''));
      const held = checkpoints.map(({ size, verdict }: Record<string, unknown>) => [size, verdict]);
      expect([code, held]).toEqual([
        0,
        [
          [source.length, 'holds'],
          [source.length, 'holds'],
        ],
      ]);
      const roots = new Set(checkpoints.map(({ root }: { root: string }) => root));
      expect(roots.size).toBe(1);
    } finally {
      await to.close();
      await rm(folder, { recursive: true });
    }
  });

  it('goes on where it was broken off, also in the middle of an answer, and verifies what is there', async () => {
    const source = await sourceLog();
    server.faults.cutAppends(3, 'after storing', 2);
    await copy();
    expect((await copy()).at(-2)).toMatch(`done: 0 copied, ${source.length} were there and are equal`);
    expect(bare(await wholeLog(target))).toEqual(bare(source));

    const late = buyer('late');
    await from.receive(late.started('active').body);
    expect((await copy()).at(-2)).toMatch(`done: 1 copied, ${source.length} were there`);
  });

  it('refuses a target that holds something else', async () => {
    const [first] = await sourceLog();
    if (first === undefined) throw new Error('the source is empty');
    await target.append(first.stream, 'no_stream', [{ ...first, data: '{}' }]);
    await expect(copy()).rejects.toThrow(/the target holds .* where the source holds/);
  });

  it('refuses a source whose chain is broken, and one with streams outside the prefix', async () => {
    const insert = `insert into tenure_log.event select max(position) + 1, $1, 0, gen_random_uuid(), 'T', '{}', '{}'
                    from tenure_log.event`;
    await from.tenure.pool.query(insert, ['tenure.forged']);
    await expect(copy()).rejects.toThrow('the chain is broken at tenure.forged@0');
    await from.tenure.pool.query(insert, ['elsewhere']);
    await expect(copy()).rejects.toThrow(/stream elsewhere does not begin with STREAM_PREFIX/);
  });
});
