import { rm } from 'node:fs/promises';
import { openMirror } from '../../src/audit/tree/mirror.js';
import { readTrees } from '../../src/audit/tree/tree.repository.js';
import { TreeCopy } from '../../src/audit/tree/tree-copy.js';
import type { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { type KnownCheckpoint, type LogReport, verifyLog } from '../../src/audit/tree/verify-log.js';
import { copyLog } from '../../src/event-store/copy-log.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { appendSurely } from '../../src/event-store/log-transfer.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { testFolder } from '../support/folder.js';
import { generatedLog } from '../support/generated-log.js';
import { randomFrom } from '../support/lives.js';
import { wholeLog } from '../support/log.js';
import { type TamperableLog, tamperableLog } from '../support/tamperable-log.js';
import { TAMPERINGS } from '../support/tamperings.js';
import { treeKeeper } from '../support/tree-keeper.js';

/** Events of the log, and single tamperings of it; `TAMPER_SEED` repeats a run. */
const EVENTS = Number(process.env.TAMPERED_EVENTS ?? 400);
const RUNS = Number(process.env.TAMPERINGS ?? 60);
const SEED = Number(process.env.TAMPER_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Events of the checkpoint that was kept, and of the mirror; behind the latter there are more. */
const [KEPT, MIRRORED] = [Math.floor(EVENTS * 0.7), Math.floor(EVENTS * 0.9)];
const TIMEOUT_MS = Math.max(300_000, RUNS * EVENTS * 2);

describe('A log that somebody altered in its store', () => {
  const random = randomFrom(SEED);
  let folder: string;
  let log: TamperableLog;
  let events: readonly StoredEvent[];
  let kept: KnownCheckpoint;
  let copy: TreeCopy;
  let keeper: TreeKeeper;
  beforeAll(async () => {
    [folder, log] = await Promise.all([testFolder('tenure-tampered-'), tamperableLog('as the run says')]);
    const { store } = log;
    keeper = treeKeeper({ pool: log.database.pool, store, mirror: openMirror(folder) });
    const made = [...generatedLog({ events: EVENTS, customers: Math.ceil(EVENTS / 12), random })];
    const grows = async (from: number, to: number): Promise<void> => {
      await appendSurely(store, made.slice(from, to));
    };
    const mirrored = async (): Promise<TreeCopy> => {
      await keeper.keepUp();
      const found = await TreeCopy.open(openMirror(folder));
      if (found === null) throw new Error('nothing is mirrored');
      return found;
    };
    await grows(0, KEPT);
    kept = { from: 'kept', checkpoint: (await mirrored()).checkpoint };
    await grows(KEPT, MIRRORED);
    copy = await mirrored();
    await grows(MIRRORED, EVENTS);
    events = await wholeLog(store);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await log.drop();
    await rm(folder, { recursive: true });
  });

  const verified = (store: EventStore): Promise<LogReport> =>
    verifyLog({ store, checkpoints: [kept], copy, onProgress: () => undefined });

  it(
    'is found to be altered by a checkpoint from before, and a mirror tells where and how, whatever was done',
    async () => {
      const wrong: unknown[] = [];
      const began = performance.now();
      for (let run = 0; run < RUNS; run += 1) {
        const tampering = TAMPERINGS[run % TAMPERINGS.length];
        if (tampering === undefined) throw new Error('there is nothing to do');
        const at = placeOf(Math.floor(random() * (KEPT - 1)));
        const altered = tampering.tamper(events, at);
        const report = await log.whileAltered(events, altered, verified);
        const { checkpoints, difference } = report;
        const verdict = checkpoints[0]?.verdict;
        const isLocated =
          difference !== null &&
          difference.index === at &&
          tampering.kinds.includes(difference.kind) &&
          difference.expected.id === events[at]?.id &&
          difference.found?.id === altered[at]?.id &&
          difference.found?.stream === altered[at]?.stream &&
          difference.found?.revision === altered[at]?.revision;
        if (verdict === 'holds' || !isLocated) wrong.push({ what: tampering.what, at, verdict, difference });
      }
      if (process.env.TAMPERINGS !== undefined) {
        const seconds = Math.round((performance.now() - began) / 1_000);
        process.stderr.write(
          `${JSON.stringify({ seed: SEED, events: EVENTS, tamperings: RUNS, seconds })}\n`,
        );
      }
      expect({ seed: SEED, wrong }).toEqual({ seed: SEED, wrong: [] });
    },
    TIMEOUT_MS,
  );

  /** The first event from there on behind which there is one of another stream. */
  function placeOf(from: number): number {
    for (let at = from; at > 0; at -= 1) {
      if (events[at]?.stream !== events[at + 1]?.stream) return at;
    }
    return 0;
  }

  it(
    'is told from one that is as it was, that grew, whose tree was made again, or that was copied to the other store',
    async () => {
      const isClean = async (store: EventStore, length: number): Promise<void> => {
        const { broken, checkpoints, difference, events: read } = await verified(store);
        expect({ broken, verdict: checkpoints[0]?.verdict, difference, read }).toEqual({
          broken: [],
          verdict: 'holds',
          difference: null,
          read: length,
        });
      };
      const { store, database } = log;
      await isClean(store, EVENTS);

      await keeper.keepUp();
      const [signed] = await readTrees(database.pool);
      expect(signed?.checkpointSize).toBe(EVENTS);
      await database.pool.query('delete from tenure.audit_progress');
      await database.pool.query('delete from tenure.audit_tile');
      expect(await keeper.keepUp()).toBe(false);
      expect((await readTrees(database.pool))[0]).toEqual(signed);

      const other = await tamperableLog('in the other store');
      try {
        await copyLog(store, other.store, () => undefined);
        await isClean(other.store, EVENTS);
      } finally {
        await other.drop();
      }
    },
    TIMEOUT_MS,
  );
});
