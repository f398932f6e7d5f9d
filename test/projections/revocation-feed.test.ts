import { RevocationFeedReader } from '../../src/projections/read-models/revocation-feed.reader.js';
import { day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';

describe('The revocation feed in the database', () => {
  let log: ProjectedLog;
  let reader: RevocationFeedReader;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...['ann', 'bob', 'cleo'].map((userId) => sightOf(userId, day(1), { userId })),
    );
    await log.replay({ batchSize: 10, sliceSize: 10, projector: 'kept' });
    reader = new RevocationFeedReader(log.pool);
  });
  afterEach(() => log.close());

  const epoch = async (): Promise<string> => (await reader.page(0n, 0)).epoch;
  const users = async (): Promise<readonly string[]> =>
    (await reader.page(0n, 10)).lines.map(({ userId, version }) => `${userId} ${version}`);

  it('has a line for each raise, in one order, and one epoch as long as nothing is lost', async () => {
    const { lines, head, dropped } = await reader.page(0n, 10);
    expect(lines.map(({ sequence, version }) => `${sequence} ${version}`)).toEqual(['1 1', '2 1', '3 1']);
    expect([...(await users())].sort()).toEqual(['ann 1', 'bob 1', 'cleo 1']);
    expect([head, dropped]).toEqual([3n, 0n]);
    expect((await reader.page(1n, 1)).lines).toMatchObject([{ sequence: '2' }]);
    expect(await new RevocationFeedReader(log.pool).page(3n, 10)).toMatchObject({
      epoch: await epoch(),
      lines: [],
    });
  });

  it.each([
    ['the server is another one, as after a failover', `set server = '1-00000002'`],
    ['its end went back, as after a crash that lost commits', 'set cursor = 2'],
  ])('has another epoch once %s', async (_, change) => {
    const before = await epoch();
    await log.pool.query(`update tenure.revocation_feed_head ${change}`);
    const after = await epoch();
    expect(after).not.toBe(before);
    expect(await epoch()).toBe(after);
  });

  it('has another epoch once commits that an instance had confirmed are gone, and one only for all who saw it', async () => {
    const before = await epoch();
    const other = new RevocationFeedReader(log.pool);
    expect((await other.page(0n, 0)).epoch).toBe(before);
    reader.lostCommits();
    other.lostCommits();
    const after = await epoch();
    expect(after).not.toBe(before);
    expect((await other.page(0n, 0)).epoch).toBe(after);
    expect(await epoch()).toBe(after);
  });

  it('drops lines that were written before an instant, and says up to where', async () => {
    await log.pool.query(
      `update tenure.revocation_feed set written_at = now() - interval '25 hours' where cursor <= 2`,
    );
    expect(await reader.dropBefore(Date.now() - 86_400_000)).toBe(2);
    expect(await reader.page(0n, 10)).toMatchObject({ dropped: 2n, head: 3n, lines: [{ sequence: '3' }] });
    expect(await reader.dropBefore(Date.now() - 86_400_000)).toBe(0);
  });
});
