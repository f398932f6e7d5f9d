import fc from 'fast-check';
import type { PlanCatalog } from '../../src/events/catalog.events.js';
import { catalogHash } from '../../src/plans/plan-file.js';
import { accessDifferences } from '../../src/policy/access-part.js';
import { judge } from '../../src/policy/judge.js';
import {
  NoCatalogError,
  PublicationUnderWayError,
  PublicationWouldFaultError,
} from '../../src/projections/rebuild/errors.js';
import type { PublicationReport } from '../../src/projections/rebuild/publication-preview.js';
import { history, USERS } from '../support/histories.js';
import { catalogs } from '../support/lives.catalog.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';

const numRuns = Number(process.env.PUBLICATION_RUNS ?? '3');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const OLD = twoPlans({ free: 'reports', plus: 'export' });
const NEW = twoPlans({ free: 'reports', plus: 'api' });

function preview(instance: Instance, catalog: PlanCatalog): Promise<PublicationReport> {
  return instance.previewPublication({ catalog, hash: catalogHash(catalog) }, () => undefined);
}

describe('What a publication would change', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  const start = (more: Parameters<typeof log.start>[1] = {}) =>
    log.start('a', { now: () => at(day(2)), patienceMs: 200, ...more });

  it('is told by user, kind, plan, feature and limit, in slices of any size, and nothing is written', async () => {
    await log.record(
      publication(OLD, day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
      sightOf('2', day(0), { userId: 'bob', status: 'canceled' }),
      sightOf('3', day(0), { userId: 'cleo' }),
    );
    const a = await start({ sliceSize: 1 });
    await a.reaches('4');
    const before = await log.rows();
    const withLimits: PlanCatalog = {
      ...NEW,
      default: 'basic',
      plans: { ...NEW.plans, basic: { ...OLD.plans.free, limits: { members: 3 } } } as PlanCatalog['plans'],
    };
    const seen: [number, number][] = [];
    const report = await a.previewPublication(
      { catalog: withLimits, hash: catalogHash(withLimits) },
      (...judged) => seen.push(judged),
    );
    expect(report).toMatchObject({
      position: '4',
      at: new Date(at(day(2))).toISOString(),
      hashBefore: `hash ${day(0)}`,
      hashAfter: catalogHash(withLimits),
      judged: 3,
      changed: 3,
      byKind: { role: 0, plan: 1, status: 0, features: 2, limits: 3 },
      moves: [{ from: 'free', to: 'basic', users: 1 }],
      features: [
        { feature: 'api', gained: 2, lost: 0 },
        { feature: 'export', gained: 0, lost: 2 },
      ],
      limits: [{ limit: 'members', raised: 3, lowered: 0 }],
      defaultChanged: true,
    });
    expect(
      report.first.map(({ userId, versionBefore, versionAfter }) => [userId, versionBefore, versionAfter]),
    ).toEqual([
      ['ann', 1, 2],
      ['bob', 1, 2],
      ['cleo', 1, 2],
    ]);
    expect(seen.at(-1)).toEqual([3, 3]);
    expect(await log.rows()).toEqual(before);
    expect(await log.store.head()).toBe('4');
    expect(await a.rebuilds.list()).toHaveLength(1);
  });

  it('is nothing for the catalogue published last, and for one that gives the same', async () => {
    const { hash, catalog } = { hash: catalogHash(OLD), catalog: OLD };
    await log.record(
      { event: { type: 'PlanCatalogPublished', data: { hash, catalog } }, origin: null, at: at(day(0)) },
      sightOf('1', day(0), { userId: 'ann' }),
    );
    const a = await start();
    await a.reaches('2');
    const none = {
      changed: 0,
      detailsOnly: 0,
      first: [],
      moves: [],
      features: [],
      limits: [],
      defaultChanged: false,
    };
    expect(await preview(a, OLD)).toMatchObject({ ...none, judged: 0 });
    const unsold = { ...OLD, plans: { ...OLD.plans, pro: { ...OLD.plans.free, rank: 2 } } } as PlanCatalog;
    expect(await preview(a, unsold)).toMatchObject({ ...none, judged: 1 });
  });

  it('is refused where nothing was published, a publication does not end, or a user cannot be judged', async () => {
    let isBroken = false;
    const rules = {
      codeVersion: '1',
      judge: (...given: Parameters<typeof judge>) => {
        if (isBroken && given[0].subscriptions.length > 0) throw new RangeError('not with me');
        return judge(...given);
      },
    };
    const a = await start({ rules });
    await expect(preview(a, NEW)).rejects.toThrow(NoCatalogError);
    await log.record(publication(OLD, day(0)), sightOf('1', day(0), { userId: 'ann' }));
    await a.reaches('2');
    isBroken = true;
    await expect(preview(a, NEW)).rejects.toThrow(PublicationWouldFaultError);
    await a.stop();
    const underWay = { position: '1', id: 'a', type: 'PlanCatalogPublished', stream: '', revision: 0 };
    await log.pool.query('update tenure.projection_checkpoint set within = $1', [
      JSON.stringify([{ ...underWay, now: at(day(0)), after: '' }]),
    ]);
    const wall = await openTransaction(log.pool);
    try {
      await wall.query('select from tenure.projection_checkpoint for update'); // nothing is folded on meanwhile
      const b = await log.start('b', { rules, patienceMs: 200 });
      await expect(preview(b, NEW)).rejects.toThrow(PublicationUnderWayError);
    } finally {
      await wall.query('rollback');
      wall.release();
    }
  });

  it(
    'is what the publication then does, whatever came before',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          history(),
          catalogs(),
          fc.constantFrom(1, 3, 1_000),
          async ({ events }, catalog, sliceSize) => {
            const own = await ProjectedLog.open();
            try {
              const now = Math.max(...events.map((each) => each.at)) + 86_400_000;
              const a = await own.start('a', { sliceSize, now: () => now });
              await a.reaches(await own.record(...events));
              const report = await preview(a, catalog); // waits until everybody is judged by what was published before
              const before = await a.reader.readMany(USERS);
              const data = { hash: catalogHash(catalog), catalog };
              await a.reaches(
                await own.record({ event: { type: 'PlanCatalogPublished', data }, origin: null, at: now }),
              );
              const after = await a.reader.readMany(USERS);
              const told = new Map(report.first.map((change) => [change.userId, change]));
              for (const [n, { userId, snapshot }] of before.entries()) {
                const is = after[n]?.snapshot ?? snapshot;
                const kinds = accessDifferences(snapshot, is);
                const change = told.get(userId);
                if (change === undefined) {
                  const isStranger = snapshot.revocationVersion === 0 && report.defaultChanged;
                  expect([userId, isStranger ? [] : kinds]).toEqual([userId, []]);
                  expect(is.revocationVersion).toBe(snapshot.revocationVersion);
                } else {
                  expect(change.kinds).toEqual(kinds);
                  expect(snapshot).toMatchObject({
                    ...change.before,
                    revocationVersion: change.versionBefore,
                  });
                  expect(is).toMatchObject({ ...change.after, revocationVersion: change.versionAfter });
                }
              }
              expect(report.changed).toBe(report.first.length);
            } finally {
              await own.close();
            }
          },
        ),
        { numRuns, endOnFailure: true },
      );
    },
    RUNS_MS,
  );
});
