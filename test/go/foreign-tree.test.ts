import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verifierTextsOf } from '../../src/audit/tree/audit-key.js';
import { readAuditKeys } from '../../src/audit/tree/audit-key.repository.js';
import { openMirror } from '../../src/audit/tree/mirror.js';
import { PublishedTree } from '../../src/audit/tree/published-tree.js';
import { appendSurely } from '../../src/event-store/log-transfer.js';
import { testFolder } from '../support/folder.js';
import { generatedLog } from '../support/generated-log.js';
import { randomFrom } from '../support/lives.js';
import { type TamperableLog, tamperableLog } from '../support/tamperable-log.js';
import { treeKeeper } from '../support/tree-keeper.js';

const run = promisify(execFile);

/** Where Debian's `golang-golang-x-mod-dev` puts `golang.org/x/mod`. */
const GOPATH = '/usr/share/gocode';
const ORIGIN = 'example.com/log';
/** Three levels of tiles. */
const EVENTS = 66_000;
const KEPT = 1_000;

describe("The tree of a log, as Go's own implementation of transparent logs reads it", () => {
  let folder: string;
  let log: TamperableLog;
  const mirror = () => join(folder, 'mirror');
  beforeAll(async () => {
    [folder, log] = await Promise.all([testFolder('tenure-go-'), tamperableLog('as the run says')]);
    const { database, store } = log;
    const keeper = treeKeeper({ pool: database.pool, store, origin: ORIGIN, mirror: openMirror(mirror()) });
    const events = [...generatedLog({ events: EVENTS, customers: 5_000, random: randomFrom(1) })];
    await appendSurely(store, events.slice(0, KEPT));
    await keeper.keepUp();
    await writeFile(join(folder, 'kept'), await readFile(join(mirror(), 'checkpoint')));
    await appendSurely(store, events.slice(KEPT));
    await keeper.keepUp();
    const env = { ...process.env, GO111MODULE: 'off', GOPATH };
    await run('go', ['build', '-o', join(folder, 'check'), join(import.meta.dirname, 'check.go')], { env });
  });
  afterAll(async () => {
    await log.drop();
    await rm(folder, { recursive: true });
  });

  /** What the program says, after its notes, tiles, entries and proofs were read. */
  async function checked(): Promise<string> {
    const [key] = await readAuditKeys(log.database.pool);
    const [verifier = ''] = key === undefined ? [] : verifierTextsOf(key, ORIGIN);
    const published = new PublishedTree(log.database.pool);
    const proofs: string[] = [];
    for (const index of [0, 255, 256, KEPT, 65_535, 65_536, EVENTS - 1]) {
      const file = join(folder, `proof-${index}`);
      await writeFile(file, (await published.proof(1, index)) ?? '');
      proofs.push(file);
    }
    const { stdout } = await run(join(folder, 'check'), [
      mirror(),
      verifier,
      join(folder, 'kept'),
      ...proofs,
    ]);
    return stdout.trim();
  }

  it('is signed, whole, a continuation of what was signed before, and has the proofs that are told', async () => {
    expect(await checked()).toBe(`${EVENTS} entries, ${EVENTS - KEPT} after an older checkpoint, 7 proofs`);
  });

  it.each(['checkpoint', 'tile/0/017', 'tile/1/000', 'tile/entries/017'])(
    'is refused where a byte of %s is another one',
    async (path) => {
      const file = join(mirror(), path);
      const bytes = await readFile(file);
      const other = Buffer.from(bytes);
      other[40] = (other[40] ?? 0) ^ 1;
      await writeFile(file, other);
      await expect(checked()).rejects.toMatchObject({ code: 1 });
      await writeFile(file, bytes);
    },
  );
});
