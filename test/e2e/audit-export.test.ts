import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { exportUser } from '../../src/audit/export/export-user.js';
import { proveEvents } from '../../src/audit/export/proven-events.js';
import { leafOf } from '../../src/audit/merkle/leaf.js';
import { parseVerifierKey } from '../../src/audit/merkle/note-keys.js';
import { checkTlogProof, parseTlogProof } from '../../src/audit/merkle/tlog-proof.js';
import { markOf } from '../../src/audit/tree/build-tree.js';
import { readTrees } from '../../src/audit/tree/tree.repository.js';
import { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { SEALED_SECRETS, type SealedSecrets } from '../../src/auth/sealed-secrets.js';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import { buyer, PRO } from '../support/buyer.js';
import { wholeLog } from '../support/log.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent } from '../support/stripe-events.js';
import { TestWitness } from '../support/test-witness.js';

const ORIGIN = 'example.com/audit/log';
const VERIFIER = fileURLToPath(new URL('../../src/audit/verifier/verify-export.mjs', import.meta.url));

const eventLine = z.looseObject({ index: z.number(), stream: z.string(), id: z.string() });
const snapshotLine = z.object({
  moment: z.string(),
  served: z.looseObject({ plan: z.string(), asOf: z.unknown() }),
  held: z.looseObject({ plan: z.string(), asOf: z.unknown() }),
  cause: z.looseObject({ kind: z.string(), type: z.string().optional() }).nullable(),
  changed: z.array(z.looseObject({ field: z.string() })),
  reasons: z.object({ served: z.array(z.unknown()).nullable(), held: z.array(z.unknown()) }),
});

/** A store that tells when its end was asked for. */
class WatchedStore extends EventStoreDecorator {
  constructor(
    inner: EventStore,
    private readonly onHead: () => Promise<unknown>,
  ) {
    super(inner);
  }
  override async head(): ReturnType<EventStore['head']> {
    const head = await super.head();
    await this.onHead();
    return head;
  }
}

describe('An export of a user', () => {
  let service: TestService;
  let witness: TestWitness;
  let folder: string;
  /** A file with a checkpoint from before the user's last events. */
  let kept: string;
  /** What stands for the user in the log, and so in exports. */
  let stored: string;
  const ann = buyer('ann');
  const bob = buyer('bob');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-export-'));
    witness = await TestWitness.start();
    service = await startService({
      environment: {
        ...SHIPPED_PLANS,
        AUDIT_ORIGIN: ORIGIN,
        AUDIT_EVERY_SECONDS: '86400',
        AUDIT_WITNESSES: witness.setting,
      },
    });
    await Promise.all(Array.from({ length: 260 }, () => service.receive(customerEvent())));
    for (const { body } of [
      ann.started('incomplete'),
      ann.pays('subscription_create'),
      bob.started('active'),
      ann.becomes('active'),
    ]) {
      await service.receive(body);
    }
    await service.tenure.app.get(TreeKeeper).keepUp();
    kept = join(folder, 'kept-checkpoint');
    await writeFile(kept, (await service.call({ path: '/audit/log/checkpoint' })).text);
    for (const { body } of [ann.switchesTo(PRO), ann.pays('subscription_update')])
      await service.receive(body);
    const grant = { features: ['sso'], reason: 'for <b>the</b> fair' };
    await service.ask('POST', '/v1/users/ann/grants', grant);
    await service.receive(ann.ends().body);
    stored = await service.storedId('ann');
  });
  afterAll(async () => {
    await service.close();
    await witness.close();
    await rm(folder, { recursive: true });
  });

  const log = () => wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));

  async function tenure(args: readonly string[], environment: Record<string, string> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(args, {
      environment: { ...service.environment, ...environment },
      out: (said) => out.push(said),
      err: (said) => err.push(said),
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  /** What an export in this process is made of, but for who signs. */
  function options() {
    const { app, pool } = service.tenure;
    return {
      pool,
      store: app.get<EventStore>(EVENT_STORE),
      secrets: app.get<SealedSecrets>(SEALED_SECRETS),
      streamPrefix: service.prefix,
      release: '0.0.0',
      now: Date.now,
    };
  }

  /** An export that is made anew. */
  async function exported(name: string, ...options: readonly string[]) {
    const out = join(folder, name);
    const made = await tenure(['audit', 'export', '--user', 'ann', '--out', out, ...options]);
    expect([made.err, made.code]).toEqual(['', 0]);
    const text = await readFile(join(out, 'export.ndjson'), 'utf8');
    const lines: { readonly kind: string }[] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = <Parsed>(kind: string, schema: z.ZodType<Parsed>): readonly Parsed[] =>
      lines.filter((line) => line.kind === kind).map((line) => schema.parse(line));
    return { out, file: join(out, 'export.ndjson'), of };
  }

  it('has every event that the history rests on as the log has it, each proved by a checkpoint of all there is', async () => {
    const { out, of } = await exported('first');
    const all = (await log()).map((event, index) => ({ ...event, index }));
    const grants = `${service.prefix}grant-`;
    const isTold = (stream: string): boolean =>
      [`${service.prefix}catalog`, `${service.prefix}subscription-${ann.id}`].includes(stream) ||
      stream.startsWith(grants);
    const events = of('event', eventLine);
    expect(events).toEqual(
      all.filter(({ stream }) => isTold(stream)).map((event) => expect.objectContaining(event)),
    );
    expect(events).toHaveLength(8);
    const keys = (await readFile(join(out, 'verifier-keys'), 'utf8')).trimEnd().split('\n');
    const known = keys.map(parseVerifierKey);
    expect((await readdir(join(out, 'proofs'))).length).toBe(events.length);
    for (const { index } of events) {
      const proof = parseTlogProof(await readFile(join(out, 'proofs', `${index}`), 'utf8'));
      const event = all[index];
      if (event === undefined) throw new Error('the log has no such event');
      const { checkpoint, signatures } = checkTlogProof(proof, leafOf(index, markOf(event)), [
        ...known,
        witness.key,
      ]);
      expect([checkpoint.size, signatures.length]).toEqual([all.length, 3]);
    }
    const looked = all.at(-1);
    expect([looked?.type, JSON.parse(looked?.data ?? '')]).toMatchObject([
      'AuditAccessed',
      { kind: 'export', userId: stored },
    ]);
  });

  it('tells at each change what was served, and what holds by all that is known, as the service answers it', async () => {
    const { of } = await exported('snapshots');
    const snapshots = of('snapshot', snapshotLine);
    expect(snapshots.map(({ served, held }) => [served.plan, held.plan])).toEqual([
      ['free', 'free'],
      ['plus', 'free'],
      ['plus', 'free'],
      ['pro', 'free'],
      ['pro', 'free'],
      ['free', 'free'],
    ]);
    for (const { moment, served, held } of snapshots) {
      const asked = async (clock: string) => ({
        ...z
          .looseObject({ userId: z.literal('ann') })
          .parse((await service.ask('GET', `/v1/users/ann/entitlements?${clock}=${moment}`)).body),
        userId: stored,
      });
      expect(served).toEqual(await asked('knownAt'));
      expect({ ...held, asOf: null }).toEqual({ ...(await asked('at')), asOf: null });
    }
    const { items } = z
      .looseObject({ items: z.array(z.looseObject({ from: z.string(), cause: z.unknown() })) })
      .parse((await service.ask('GET', '/v1/audit/users/ann/history?explain=true')).body);
    const told = snapshots.filter(({ cause }) => cause !== null);
    const changes = told.map(({ moment, cause, changed, reasons }) => [
      moment,
      cause,
      changed,
      reasons.served,
    ]);
    expect(JSON.parse(await service.revealed(JSON.stringify(changes)))).toEqual(
      items.map(({ from, cause, changed, reasons }) => [from, cause, changed, reasons]),
    );
    expect(told).toHaveLength(5);
  });

  it('is verified where there is nothing but Node: with keys, a witness and a checkpoint from before', async () => {
    const { out, file } = await exported('alone', '--against', kept);
    const [key = ''] = (await readFile(join(out, 'verifier-keys'), 'utf8')).split('\n');
    const [witnessed = ''] = witness.setting.split(' ');
    const args = [file, '--key', key, '--key', witnessed, '--against', kept];
    const alone = spawnSync(process.execPath, [VERIFIER, ...args], { cwd: '/', env: {}, encoding: 'utf8' });
    expect([alone.status, alone.stderr]).toEqual([0, '']);
    expect(alone.stdout).toContain(`signed by ${key}\nsigned by`);
    const byCli = await tenure(['audit', 'verify-export', ...args], {
      DATABASE_URL: '',
      TENURE_ADMIN_KEY: '',
    });
    expect(byCli).toEqual({ code: 0, out: alone.stdout, err: '' });
    const { out: json } = await tenure(['audit', 'verify-export', file, '--json']);
    expect(JSON.parse(json)).toMatchObject({ user: stored, origin: ORIGIN, events: 8, against: null });
  });

  it('is refused where it or the page beside it was changed, and where a kept checkpoint is not proved', async () => {
    const { out, file } = await exported('changed');
    const verified = () => tenure(['audit', 'verify-export', file]);
    const page = join(out, 'summary.html');
    const written = await readFile(page, 'utf8');
    await writeFile(page, written.replace('plus', 'pro'));
    expect(await verified()).toEqual({
      code: 1,
      out: '',
      err: 'tenure: summary.html was changed (export_refused)\n',
    });
    await writeFile(page, written);
    expect((await verified()).code).toBe(0);
    expect((await tenure(['audit', 'verify-export', file, '--against', kept])).err).toContain(
      'the export proves nothing about the checkpoint of',
    );
    await writeFile(file, (await readFile(file, 'utf8')).replace('for <b>', 'for <i>'));
    expect((await verified()).err).toMatch(/^tenure: event \d+ .* was changed: its hash is another one/);
    const none = join(folder, 'none');
    expect((await tenure(['audit', 'verify-export', none])).code).toBe(69);
    for (const [args, status] of [
      [[file], 1],
      [[], 64],
      [['--key'], 64],
      [[none], 69],
    ] as const) {
      const alone = spawnSync(process.execPath, [VERIFIER, ...args], { encoding: 'utf8' });
      expect([alone.status, alone.stdout, alone.stderr]).toEqual([
        status,
        '',
        expect.stringMatching(/^verify-export: /),
      ]);
    }
  });

  it('says on its page what it holds, with every text escaped and nothing from elsewhere', async () => {
    const { out } = await exported('page');
    const page = await readFile(join(out, 'summary.html'), 'utf8');
    expect(page).toContain(`What ${stored} could do`);
    expect(page).toContain('Last served: free (role free, canceled)');
    expect(page).toContain('for &lt;b&gt;the&lt;/b&gt; fair');
    expect(page).not.toMatch(/<script|<b>the|src=|href=|url\(|@import/);
  });

  it('covers what was recorded since, and is not made of a user of whom nothing is known, nor over what is there', async () => {
    const more = await service.receive(customerEvent());
    await service.entitlements('ann', more.position);
    const { of } = await exported('later');
    expect(of('event', eventLine)).toHaveLength(8);
    const refused = async (...args: readonly string[]) => {
      const { code, err } = await tenure(['audit', 'export', ...args]);
      return [code, err];
    };
    expect(await refused('--user', 'ann', '--out', join(folder, 'later'))).toEqual([
      1,
      `tenure: ${join(folder, 'later')} is not empty\n`,
    ]);
    const nobody = join(folder, 'nobody');
    expect(await refused('--user', 'nobody', '--out', nobody)).toEqual([
      1,
      'tenure: nothing is known of this user (nothing_known)\n',
    ]);
    expect(await readdir(nobody)).toEqual([]);
    const foreign = join(folder, 'foreign');
    await writeFile(foreign, (await readFile(kept, 'utf8')).replace(ORIGIN, 'example.com/other'));
    expect(await refused('--user', 'ann', '--out', join(folder, 'x'), '--against', foreign)).toEqual([
      1,
      `tenure: the checkpoint is of example.com/other, and the log is ${ORIGIN} (other_checkpoint)\n`,
    ]);
    const keyless = await tenure(['audit', 'export', '--user', 'ann', '--out', join(folder, 'y')], {
      TENURE_ADMIN_KEY: '',
    });
    expect(keyless.code).toBe(78);
  });

  it('proves no event by a checkpoint that does not cover it, though the tree has grown beyond', async () => {
    const { pool } = service.tenure;
    await service.tenure.app.get(TreeKeeper).keepUp();
    const [tree] = await readTrees(pool);
    const last = (await log()).at(-1);
    if (tree === undefined || last === undefined) throw new Error('there is no tree of a log');
    expect(await proveEvents(pool, tree, [last])).toMatchObject([{ index: tree.checkpointSize - 1 }]);
    const before = { ...tree, checkpointSize: tree.checkpointSize - 1 };
    expect(await proveEvents(pool, before, [last])).toBeNull();
  });

  it('is of all that was recorded before, though the read models are behind: they alone know whose a stream is', async () => {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const fold = await service.stores.database.pool.connect();
    await fold.query('begin; select from tenure.projection_checkpoint for update');
    await service.ask('POST', '/v1/users/zoe/grants', { features: ['sso'], reason: 'new' });
    const keeper = service.tenure.app.get(TreeKeeper);
    const watched = new WatchedStore(store, () => fold.query('rollback'));
    try {
      const zoe = await service.storedId('zoe');
      const { events } = await exportUser({ ...options(), store: watched, keeper }, zoe, null);
      expect(events.map(({ event }) => event.type)).toContain('GrantIssued');
    } finally {
      fold.release(true);
    }
  });

  it('begins anew where the checkpoint does not cover what was recorded since, until it does', async () => {
    const grant = { features: ['api'], reason: 'late' };
    await service.ask('POST', '/v1/users/ann/grants', grant);
    const signing = service.tenure.app.get(TreeKeeper);
    let signed = 0;
    const late = { keepUp: async () => (signed++ > 0 ? signing.keepUp() : false) };
    const { events } = await exportUser({ ...options(), keeper: late }, stored, null);
    expect([signed, events.length]).toEqual([2, 9]);
    await service.ask('POST', '/v1/users/ann/grants', grant);
    const never = { keepUp: async () => false };
    await expect(exportUser({ ...options(), keeper: never }, stored, null)).rejects.toMatchObject({
      code: 'export_overtaken',
    });
  });
});
