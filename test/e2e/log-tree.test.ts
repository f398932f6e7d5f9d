import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCheckpointText } from '../../src/audit/merkle/checkpoint.js';
import { leafOf } from '../../src/audit/merkle/leaf.js';
import {
  formatVerifierKey,
  parseVerifierKey,
  timeOfCosignature,
  verifierKey,
} from '../../src/audit/merkle/note-keys.js';
import { heldSignatures, parseNote } from '../../src/audit/merkle/signed-note.js';
import { TileTree } from '../../src/audit/merkle/tile-tree.js';
import { type Tile, tilePath } from '../../src/audit/merkle/tiles.js';
import { checkTlogProof, parseTlogProof } from '../../src/audit/merkle/tlog-proof.js';
import { nodeHash, splitOf } from '../../src/audit/merkle/tree-hash.js';
import { markOf } from '../../src/audit/tree/build-tree.js';
import { TreeKeeper, type TreeKeeperOptions } from '../../src/audit/tree/tree-keeper.js';
import { SEALED_SECRETS, type SealedSecrets } from '../../src/auth/sealed-secrets.js';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore, type Page } from '../../src/event-store/event-store.js';
import { type Answer, problemCode } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent } from '../support/stripe-events.js';
import { TestWitness } from '../support/test-witness.js';
import { treeKeeper } from '../support/tree-keeper.js';
import { until } from '../support/until.js';

const ORIGIN = 'example.com/audit/log';
const DAY_MS = 24 * 3_600_000;

describe('The tree of the log', () => {
  let service: TestService;
  let mirror: string;
  let witness: TestWitness;
  beforeAll(async () => {
    mirror = await mkdtemp(join(tmpdir(), 'tenure-mirror-'));
    witness = await TestWitness.start();
    service = await startService({
      environment: {
        ...SHIPPED_PLANS,
        AUDIT_ORIGIN: ORIGIN,
        AUDIT_MIRROR: mirror,
        AUDIT_EVERY_SECONDS: '86400', // it is kept when a test says so, and at no other time
        AUDIT_WITNESSES: witness.setting,
      },
    });
  });
  afterAll(async () => {
    await service.close();
    await witness.close();
    await rm(mirror, { recursive: true });
  });

  const keeper = () => service.tenure.app.get(TreeKeeper);
  const text = async (path: string): Promise<string> => (await service.call({ path })).text;
  const pool = () => service.tenure.pool;
  const store = () => service.tenure.app.get<EventStore>(EVENT_STORE);
  const eventIdAt = (position: string) => store().eventIdAt(position);
  const head = () => store().head();

  /** The answer of a path once it is so: checkpoints are told a second late. */
  async function told(path: string, isSo: (answer: Answer) => boolean): Promise<Answer> {
    let answer = await service.call({ path });
    await until(`${path} is told anew`, async () => {
      answer = await service.call({ path });
      return isSo(answer);
    });
    return answer;
  }

  async function leaves(): Promise<readonly Buffer[]> {
    return (await wholeLog(store())).map((event, at) => leafOf(at, markOf(event)));
  }

  async function keys(...options: readonly string[]) {
    const out: string[] = [];
    await runCli(['audit', 'key', '--json', ...options], {
      environment: service.environment,
      out: (said) => out.push(said),
      err: (said) => out.push(said),
    });
    const shown: { state: string; verifierKeys: string[] }[] = JSON.parse(out.join(''));
    return shown.map(({ state, verifierKeys }) => ({ state, keys: verifierKeys.map(parseVerifierKey) }));
  }

  /** Another keeper of the same tree, which reads the log otherwise, or at another time. */
  function otherKeeper(over: Partial<TreeKeeperOptions>): TreeKeeper {
    const secrets = service.tenure.app.get<SealedSecrets>(SEALED_SECRETS);
    return treeKeeper({ pool: pool(), store: store(), secrets, ...over });
  }

  it('is signed, as the log and with the time, and read as tiles by whoever has no key', async () => {
    expect(problemCode(await service.call({ path: '/audit/log/checkpoint' }))).toBe('not_found');
    await Promise.all(Array.from({ length: 290 }, () => service.receive(customerEvent())));
    await keeper().keepUp();
    const answer = await told('/audit/log/checkpoint', ({ status }) => status === 200);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    const note = parseNote(answer.text);
    const [current] = await keys();
    const signed = heldSignatures(note, current?.keys ?? []);
    expect([current?.state, signed.map(({ name, key }) => [name, key.kind])]).toEqual([
      'signs',
      [
        [ORIGIN, 'ed25519'],
        [ORIGIN, 'cosignature'],
      ],
    ]);
    const time = timeOfCosignature(signed[1]?.signature ?? Buffer.alloc(8));
    expect(Math.abs(time - Date.now() / 1_000)).toBeLessThan(600);
    expect(heldSignatures(note, [witness.key])).toHaveLength(1);

    const expected = await leaves();
    const { origin, size, root } = parseCheckpointText(note.text);
    expect([origin, size, root]).toEqual([ORIGIN, expected.length, naiveRoot(expected)]);
    const tree = new TileTree(size, tileOf);
    expect(await tree.root(size)).toEqual(root);
    expect(await tree.leaf(280)).toEqual(expected[280]);
  });

  async function tileOf(tile: Tile): Promise<Buffer> {
    const response = await fetch(`${service.url}/audit/log/tile/${tilePath(tile)}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/octet-stream',
    ]);
    const isImmutable = response.headers.get('cache-control')?.includes('immutable') ?? false;
    expect(isImmutable).toBe(tile.width === 256);
    return Buffer.from(await response.arrayBuffer());
  }

  it('has a proof of every event, which its checkpoint bears, and the entry that goes with it', async () => {
    const [current] = await keys();
    const expected = await leaves();
    for (const index of [0, 255, 256, expected.length - 1]) {
      const proof = parseTlogProof(await text(`/audit/log/proof/${index}`));
      const proven = checkTlogProof(proof, expected[index] ?? Buffer.of(), current?.keys ?? []);
      expect([proof.index, proven.checkpoint.size]).toEqual([index, expected.length]);
    }
    const bundle = await fetch(`${service.url}/audit/log/tile/entries/001.p/2`);
    const [first] = (await wholeLog(store())).slice(256).map(markOf);
    const entry = `tenure-event/v1\n256\n${first?.id}\n${first?.hash}\n`;
    const bytes = Buffer.from(await bundle.arrayBuffer());
    expect([bytes.readUInt16BE(), bytes.subarray(2, 2 + entry.length).toString()]).toEqual([
      entry.length,
      entry,
    ]);
  });

  it.each([
    '/audit/log/tile/0/001.p/255',
    '/audit/log/tile/0/001',
    '/audit/log/tile/9/000',
    '/audit/log/tile/0/0',
    '/audit/log/tile/x/000.p/1',
    '/audit/log/proof/999999',
    '/audit/log/proof/-1',
    '/audit/log/2/checkpoint',
    '/audit/log/1/checkpoint',
    '/audit/log/x/tile/0/000.p/1',
  ])('has nothing at %s', async (path) => {
    expect(problemCode(await service.call({ path }))).toBe('not_found');
  });

  it('grows by the edge alone, whoever keeps it, and is the same however the log was read', async () => {
    const before = parseCheckpointText(parseNote(await text('/audit/log/checkpoint')).text);
    for (let n = 0; n < 3; n += 1) await service.receive(customerEvent());
    const asked: (string | null)[] = [];
    const watched = {
      readAll: async (after: string | null, limit: number) => {
        asked.push(after);
        if (asked.length === 1) await keeper().keepUp(); // another one is faster, between its look and its tiles
        return store().readAll(after, limit);
      },
    };
    await otherKeeper({ store: { ...watched, eventIdAt, head }, pageEvents: 2 }).keepUp();
    expect(asked).not.toContain(null);
    const note = await told('/audit/log/checkpoint', (answer) => !answer.text.includes(`\n${before.size}\n`));
    const after = parseCheckpointText(parseNote(note.text).text);
    const expected = await leaves();
    expect([after.size, after.root]).toEqual([expected.length, naiveRoot(expected)]);
    expect(await otherKeeper({}).keepUp()).toBe(false); // nothing is new
  });

  it('takes no further page where one ended at the head of the log, and signs what it has', async () => {
    await keeper().keepUp();
    await service.receive(customerEvent());
    const pages: Page[] = [];
    const watched = {
      readAll: async (after: string | null, limit: number) => {
        const page = await store().readAll(after, limit);
        pages.push(page);
        return page;
      },
      head: async () => pages.at(-1)?.events.at(-1)?.position ?? null,
    };
    expect(await otherKeeper({ store: { ...watched, eventIdAt } }).keepUp()).toBe(true);
    expect(pages).toHaveLength(1);
    await keeper().keepUp(); // the mirror comes level, too
    const { length: size } = await leaves();
    await told('/audit/log/checkpoint', (note) => note.text.includes(`\n${size}\n`));
  });

  it('is made of the log again, and then goes on from the checkpoint that was signed before', async () => {
    const signed = await text('/audit/log/checkpoint');
    await pool().query('delete from tenure.audit_progress');
    await pool().query('delete from tenure.audit_tile');
    expect(await otherKeeper({ pageEvents: 100 }).keepUp()).toBe(false);
    expect(await text('/audit/log/checkpoint')).toBe(signed);
    const tree = new TileTree((await leaves()).length, tileOf);
    expect(await tree.root(tree.size)).toEqual(parseCheckpointText(parseNote(signed).text).root);
  });

  it('is verified against the mirror that it is copied to, and against a checkpoint that was kept', async () => {
    expect(await readFile(join(mirror, 'checkpoint'), 'utf8')).toBe(await text('/audit/log/checkpoint'));
    const kept = join(mirror, 'kept');
    await writeFile(kept, await text('/audit/log/checkpoint'));
    for (const against of [mirror, kept]) {
      const { code, report } = await verify('--against', against);
      expect([code, report.brokenCount, report.difference]).toEqual([0, 0, null]);
      expect(report.checkpoints.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
        'holds',
        'holds',
      ]);
    }
  });

  it('is found to differ from a mirror of other events, which is left as it is', async () => {
    const tile = join(mirror, 'tile/0/000');
    const note = await readFile(join(mirror, 'checkpoint'), 'utf8');
    const other = note.replace(/\n[^\n]{44}\n/, `\n${leafOf(0, { id: '', hash: '' }).toString('base64')}\n`);
    await writeFile(join(mirror, 'checkpoint'), other);
    const before = await readFile(tile);
    await service.receive(customerEvent());
    expect(await saidOfTree()).toEqual({ problems: [], inconsistent: '0' });
    await expect(keeper().keepUp()).rejects.toMatchObject({ code: 'audit_mirror_disagrees' });
    expect(await saidOfTree()).toEqual({ problems: ['audit_tree_inconsistent'], inconsistent: '1' });
    expect([await readFile(tile), await readFile(join(mirror, 'checkpoint'), 'utf8')]).toEqual([
      before,
      other,
    ]);
    await writeFile(join(mirror, 'checkpoint'), note);
    await keeper().keepUp();
    expect(await saidOfTree()).toEqual({ problems: [], inconsistent: '0' });
    expect((await verify('--against', mirror)).code).toBe(0);
    const { text: metrics } = await service.get('/metrics');
    expect(metrics).toMatch(/tenure_audit_copies_total\{with="mirror",outcome="disagrees"\} 1\n/);
    expect(metrics).toMatch(/tenure_audit_copies_total\{with="witness",outcome="done"\} [1-9]/);
    const { size } = parseCheckpointText(parseNote(await readFile(join(mirror, 'checkpoint'), 'utf8')).text);
    expect(metrics).toContain(`tenure_audit_checkpoint_events ${size}\n`);
    expect(metrics).toMatch(/tenure_audit_checkpoint_age_seconds [\d.]+\n/);
  });

  /** What readiness and metrics say of the tree. */
  async function saidOfTree() {
    const { problems }: { problems: string[] } = JSON.parse((await service.get('/health/ready')).text);
    const [, inconsistent] =
      /^tenure_audit_inconsistent (\d)$/m.exec((await service.get('/metrics')).text) ?? [];
    return { problems: problems.filter((problem) => problem.startsWith('audit')), inconsistent };
  }

  it('gets nothing of a log that is not the known one, or that lost the newest event of the tree', async () => {
    const tiles = async () =>
      (await pool().query('select * from tenure.audit_tile order by level, index')).rows;
    await keeper().keepUp();
    const before = await tiles();
    await service.receive(customerEvent());
    expect(await otherKeeper({ isLogKnown: async () => false }).keepUp()).toBe(false);
    for (const there of ['9dddd3f5-9d66-4c3b-a780-ff1065c30129', null]) {
      const exchanged = { readAll: store().readAll.bind(store()), eventIdAt: async () => there, head };
      const other = otherKeeper({ store: exchanged });
      await expect(other.keepUp()).rejects.toMatchObject({ code: 'audit_tree_inconsistent' });
      expect(other.isInconsistent).toBe(true);
    }
    expect(await tiles()).toEqual(before);
    expect(await keeper().keepUp()).toBe(true);
  });

  it('is not verified against what is no checkpoint, what nobody signed, or a mirror that does not answer', async () => {
    const kept = join(mirror, 'kept');
    await writeFile(kept, '');
    const codeOf = async (...options: readonly string[]) => (await verify(...options)).code;
    expect(await codeOf('--against', kept)).toBe(65);
    await writeFile(kept, await text('/audit/log/checkpoint'));
    const nobody = formatVerifierKey(verifierKey('nobody.example', 'ed25519', Buffer.alloc(32, 7)));
    expect(await codeOf('--against', kept, '--key', nobody)).toBe(65);
    expect(await codeOf('--against', 'http://127.0.0.1:1')).toBe(69);
  });

  async function verify(...options: readonly string[]) {
    const out: string[] = [];
    const code = await runCli(['audit', 'verify', '--json', ...options], {
      environment: service.environment,
      out: (said) => out.push(said),
      err: () => undefined,
    });
    return { code, report: JSON.parse(out.join('') || 'null') };
  }

  it('is not signed of a log that is not the one of the checkpoint before', async () => {
    const { length: size } = await leaves();
    await keeper().keepUp(); // what the test before has recorded by looking
    const { text: signed } = await told('/audit/log/checkpoint', (note) => note.text.includes(`\n${size}\n`));
    const forget = async (): Promise<void> => {
      await pool().query('delete from tenure.audit_progress');
      await pool().query('delete from tenure.audit_tile');
    };
    const altered = {
      readAll: async (after: string | null, limit: number) => {
        const page = await store().readAll(after, limit);
        const events = page.events.map((event, at) =>
          after === null && at === 17
            ? { ...event, metadata: JSON.stringify({ hash: 'ab'.repeat(32) }) }
            : event,
        );
        return { ...page, events };
      },
    };
    await forget();
    await expect(otherKeeper({ store: { ...altered, eventIdAt, head } }).keepUp()).rejects.toMatchObject({
      code: 'audit_tree_inconsistent',
    });
    await forget();
    const shorter = {
      readAll: async (after: string | null) =>
        after === null ? store().readAll(after, 100) : { events: [], scanned: after },
    };
    await expect(otherKeeper({ store: { ...shorter, eventIdAt, head } }).keepUp()).rejects.toMatchObject({
      code: 'audit_tree_inconsistent',
    });
    await forget();
    await keeper().keepUp();
    expect(await text('/audit/log/checkpoint')).toBe(signed);
  });

  it('is signed by a new key and the one before for thirty days, and by the new one alone from then on', async () => {
    const [before] = await keys();
    const rotated = await keys('--rotate');
    expect(rotated.map(({ state }) => state)).toEqual(['signs', 'beside']);
    expect(rotated[1]?.keys).toEqual(before?.keys);
    expect(await keeper().keepUp()).toBe(true);
    const both = parseNote(await checkpointOf(5));
    for (const { keys: each } of rotated) expect(heldSignatures(both, each)).toHaveLength(2);
    const month = otherKeeper({ now: () => Date.now() + 31 * DAY_MS });
    expect(await month.keepUp()).toBe(true);
    const alone = parseNote(await checkpointOf(2));
    expect(() => heldSignatures(alone, before?.keys ?? [])).toThrow('no key that is known');
    expect(heldSignatures(alone, rotated[0]?.keys ?? [])).toHaveLength(2);
  });

  async function checkpointOf(signatures: number): Promise<string> {
    const isThere = (note: string): boolean => parseNote(note).signatures.length === signatures;
    return (await told('/audit/log/checkpoint', ({ text: note }) => isThere(note))).text;
  }

  it('tells its checkpoint to auditors among all else that they read, and records that they looked', async () => {
    const path = '/v1/audit/checkpoint';
    expect(problemCode(await service.call({ path }))).toBe('unauthorized');
    const answer = await service.get(path);
    expect([answer.status, answer.text]).toEqual([200, await text('/audit/log/checkpoint')]);
    const looks = (await wholeLog(store())).filter(({ type }) => type === 'AuditAccessed');
    expect(looks.map(({ data }) => JSON.parse(data).kind)).toEqual(['checkpoint']);
  });

  it('changes no tile that is there: the database refuses it', async () => {
    await expect(
      pool().query(`update tenure.audit_tile set hashes = '\\x00' where level = 0 and index = 0`),
    ).rejects.toThrow('may only grow');
  });

  it('is frozen once another log is adopted, and another begins under its name and a number', async () => {
    const old = await text('/audit/log/checkpoint');
    await pool().query('update tenure.audit_tree set frozen_at = now() where frozen_at is null'); // as `log adopt` does
    await service.receive(customerEvent());
    expect(await keeper().keepUp()).toBe(true);
    const answer = await told('/audit/log/2/checkpoint', ({ status }) => status === 200);
    const later = parseCheckpointText(parseNote(answer.text).text);
    const expected = await leaves();
    expect([later.origin, later.root]).toEqual([`${ORIGIN}/2`, naiveRoot(expected)]);
    expect(await text('/audit/log/checkpoint')).toBe(old);
    const [current] = await keys();
    const proof = parseTlogProof(await text('/audit/log/2/proof/3'));
    expect(checkTlogProof(proof, expected[3] ?? Buffer.of(), current?.keys ?? []).signatures).toHaveLength(2);
  });
});

/** The tree of RFC 6962, 2.1, as it stands there. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first !== undefined && leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}
