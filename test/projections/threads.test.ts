import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { errorCode } from '../../src/database/embedded/server-identity.js';
import { findCheckpoint } from '../../src/projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../../src/projections/entitlements/entitlements.projector.js';
import { RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { beginGeneration, dropGeneration } from '../../src/projections/rebuild/generation-table.js';
import { FoldingThread } from '../../src/projections/workers/folding-thread.js';
import type { ToThread } from '../../src/projections/workers/protocol.js';
import { RebuildThread } from '../../src/projections/workers/rebuild-thread.js';
import type { FoldingPlace } from '../../src/projections/workers/thread-stores.js';
import { ThreadedProjection } from '../../src/projections/workers/threaded-projection.js';
import { openTransaction } from '../support/open-transaction.js';
import { day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { THREAD_FLAGS } from '../support/thread-flags.js';
import { PATIENCE_MS, until } from '../support/until.js';

function placeOf(databaseUrl: string): FoldingPlace {
  return {
    databaseUrl,
    eventStoreUrl: null,
    streamPrefix: 'tenure.',
    faultLimit: 20,
    rebuildThreads: 2,
    tracing: null,
  };
}

/** Priorities of the threads of this process, as Linux counts: what is more comes later. */
async function priorities(): Promise<ReadonlySet<number>> {
  if (process.platform !== 'linux') return new Set();
  const found = await Promise.all((await readdir('/proc/self/task')).map(priorityOf));
  return new Set(found.flat());
}

/** The priority of a thread; none where it ended since it was listed. */
async function priorityOf(thread: string): Promise<readonly number[]> {
  try {
    const stat = await readFile(`/proc/self/task/${thread}/stat`, 'utf8');
    // The 19th value of the line; names may have spaces and brackets, and nothing else of it.
    return [Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
  } catch (error) {
    // The file is not there any more, or, where it was opened in time, has no thread to tell of.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return [];
    throw error;
  }
}

describe('A thread that folds', () => {
  let said: string[];
  let deaths: string[];
  beforeEach(() => {
    said = [];
    deaths = [];
  });

  function thread(databaseUrl: string): FoldingThread<ToThread, { readonly kind: string }> {
    return new FoldingThread({
      file: new URL('../support/short-lived.worker.mjs', import.meta.url),
      place: placeOf(databaseUrl),
      youngMegabytes: 8,
      nodeFlags: [],
      onMessage: ({ kind }) => said.push(kind),
      onDied: ({ message }) => deaths.push(message),
    });
  }

  it('that cannot begin says why', async () => {
    await expect(thread('throws at once').start()).rejects.toThrow('no way to begin');
    expect(deaths).toEqual([]);
  });

  it('that ends by itself is reported with its reason, once', async () => {
    const each = thread('…');
    await each.start();
    each.post({ kind: 'wake' });
    await until('its end is known', async () => deaths.length > 0);
    each.post({ kind: 'wake' });
    await each.stop();
    expect(deaths).toEqual(['fell over']);
  });

  it('that is told to stop ends in order before `stop` comes back, and is no casualty', async () => {
    const each = thread('…');
    await each.start();
    await each.stop();
    expect(said).toEqual(['started', 'ended in order']);
    expect(deaths).toEqual([]);
  });
});

describe('A projection in a thread of its own', () => {
  let log: ProjectedLog;
  let heard: string[];
  let projection: ThreadedProjection;
  beforeEach(async () => {
    log = await ProjectedLog.open('inside');
    await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
    heard = [];
    projection = projectionInThread();
    await projection.start();
  });
  afterEach(async () => {
    await projection.stop();
    await log.close();
  });

  function projectionInThread(): ThreadedProjection {
    return new ThreadedProjection({
      place: placeOf(log.url),
      nodeFlags: THREAD_FLAGS,
      onDied: ({ message }) => heard.push(message),
      listener: {
        onChanged: (changed) => heard.push(`changed ${changed}`),
        onConfirmed: ({ checkpoint }, _, ageMs) => {
          heard.push(`confirmed ${checkpoint.handled}`);
          if (!(ageMs >= 0)) heard.push(`from the future: ${ageMs}`);
        },
        onBatch: ({ generation, events }) => heard.push(`folded ${events} into ${generation}`),
        onFault: ({ code }) => heard.push(code),
        onSetAside: (_, { code }) => heard.push(code),
        onTrouble: (error) => heard.push(String(error)),
      },
    });
  }

  it('tells what changed before it answers that it is there', async () => {
    const position = await log.record(sightOf('1', day(1), { userId: 'ann' }));
    projection.wake();
    expect(await projection.waitUntil(position, PATIENCE_MS)).toBe(true);
    const changed = heard.indexOf('changed ann');
    expect(changed).toBeGreaterThanOrEqual(0);
    expect(heard.indexOf(`confirmed ${position}`)).toBeGreaterThan(changed);
    expect(projection.status()).toMatchObject({ state: 'leading', handled: position, fault: null });
    expect(heard.filter((each) => !/^(changed|confirmed) /.test(each))).toEqual([
      'folded 1 into 1',
      'folded 1 into 1',
    ]);
  });

  it('says no when the time is over, and when it is stopped meanwhile; afterwards it is stopped', async () => {
    expect(await projection.waitUntil('99', 50)).toBe(false);
    const waits = projection.waitUntil('99', 600_000);
    const change = projection.nextChange(600_000);
    await projection.stop();
    expect(await waits).toBe(false);
    await change;
    expect(projection.status().state).toBe('stopped');
    expect(await projection.waitUntil('1', 600_000)).toBe(false);
  });

  it('that is told to stop while it begins ends in order, as soon as the database answers', async () => {
    await projection.stop();
    const holder = await openTransaction(log.pool);
    try {
      await holder.query('lock table tenure.projection_checkpoint in access exclusive mode');
      const late = projectionInThread();
      const started = expect(late.start()).rejects.toThrow('a folding thread ended');
      await until('it waits for where it goes on', async () => {
        const { rows } = await holder.query(
          `select from pg_locks
           where not granted and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      });
      // It is given a few seconds to end, of which its beginning may take all.
      const stopped = late.stop();
      await until('it has heard that', () => late.status().state === 'stopped');
      await holder.query('commit');
      await stopped;
      await started;
    } finally {
      holder.release(true);
    }
  });

  it('leaves what is not live to another thread, which is there while there is such, and no longer', async () => {
    const thread = new RebuildThread({
      place: placeOf(log.url),
      nodeFlags: THREAD_FLAGS,
      pool: log.pool,
      projection: ENTITLEMENTS,
      onMessage: () => undefined,
      onDied: ({ message }) => heard.push(message),
      onTrouble: (error) => heard.push(String(error)),
      keepMs: 0,
    });
    await projection.waitUntil('1', PATIENCE_MS);
    heard = [];
    thread.start();
    const generation = await beginGeneration(log.pool, {
      projection: ENTITLEMENTS,
      state: 'building',
      startedBy: 'ann',
      reason: 'to see',
      codeVersion: RUNNING_RULES.codeVersion,
      order: null,
    });
    const key = { projection: ENTITLEMENTS, generation };
    await until('it is folded', async () => (await findCheckpoint(log.pool, key))?.handled === '1');
    expect(thread.isThere).toBe(true);
    const usual = getPriority();
    expect(await priorities()).toEqual(
      process.platform === 'linux' ? new Set([usual, Math.max(usual, 10)]) : new Set(),
    );
    await dropGeneration(log.pool, ENTITLEMENTS, generation);
    await until('the thread has ended', () => !thread.isThere);
    await thread.stop();
    expect(heard.filter((each) => !each.startsWith('confirmed'))).toEqual([]);
  });

  it('says how far it is behind, also while it cannot go on', async () => {
    await projection.waitUntil('1', PATIENCE_MS);
    const holder = await openTransaction(log.pool);
    try {
      await holder.query('lock table tenure.projection_checkpoint in exclusive mode');
      await log.record(sightOf('1', day(1), { userId: 'ann' }), sightOf('2', day(1), { userId: 'bob' }));
      projection.wake();
      await until('the lag grows', async () => {
        const { lagEvents, lagSeconds } = projection.status();
        return lagEvents === 2 && lagSeconds > 0.1;
      });
      await holder.query('rollback');
    } finally {
      holder.release();
    }
    expect(await projection.waitUntil('3', PATIENCE_MS)).toBe(true);
    await until('level', async () => projection.status().lagSeconds === 0);
  });
});
