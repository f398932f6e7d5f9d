import { randomUUID } from 'node:crypto';
import { day } from '../../test/support/policy-stories.js';
import { ProjectedLog } from '../../test/support/projected-log.js';
import { publication, sightOf, twoPlans } from '../../test/support/stories-to-record.js';
import { until } from '../../test/support/until.js';
import { RUNNING_RULES } from '../projections/entitlements/folding-rules.js';
import { openServiceDatabase } from '../start/service-database.js';
import { runCli } from './program.js';

/** What a command said and how it ended. */
interface Ended {
  readonly lines: readonly string[];
  readonly complaints: readonly string[];
  readonly code: number;
}

describe('tenure projections', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    const database = await openServiceDatabase({
      url: log.url,
      eventStoreUrl: null,
      onIdleFault: () => undefined,
    });
    await database.close();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
    );
    const service = await log.start('service');
    await service.reaches('2');
    await service.stop();
  });
  afterEach(() => log.close());

  /** Runs a command as a process of its own would, without any service running. */
  async function run(...words: readonly string[]): Promise<Ended> {
    let [out, err] = ['', ''];
    const code = await runCli(['projections', ...words], {
      environment: { DATABASE_URL: log.url },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    const linesOf = (text: string): readonly string[] => text.split('\n').slice(0, -1);
    const complaints = linesOf(err).filter((line) => !/^tenure: (generation \d+: \d+ events|at )/.test(line));
    return { lines: linesOf(out), complaints, code };
  }

  const code = RUNNING_RULES.codeVersion;

  it('rebuild, verify, roll back and drop on the database alone, and tell what they did', async () => {
    const rebuilt = await run('rebuild', '--reason', 'a test', '--actor', 'eva');
    expect(rebuilt).toEqual({
      lines: [
        `swap 1: generation 1 (code ${code}) to 2 (code ${code}) at 2`,
        '0 users change, 0 more in dates alone',
      ],
      complaints: [],
      code: 0,
    });
    expect((await run('verify')).lines.at(-1)).toBe('no difference');
    const back = await run('rollback', '--reason', 'a test', '--json');
    expect(JSON.parse(back.lines.join())).toMatchObject({
      kind: 'rollback',
      from: { generation: 2 },
      changed: 0,
    });
    const { lines } = await run('status');
    expect(lines).toEqual([
      expect.stringContaining(`1  live  at 2, code ${code}`),
      expect.stringMatching(new RegExp(`^2  previous  at 2, code ${code}  \\(eva, .*: a test\\)$`)),
      expect.stringContaining('rollback 2: 2 to 1, 0 users changed'),
      expect.stringContaining('swap 1: 1 to 2, 0 users changed, by eva: a test'),
    ]);
    expect(await run('drop', '2')).toEqual({
      lines: ['generation 2 is dropped'],
      complaints: [],
      code: 0,
    });
    expect((await run('list')).lines).toHaveLength(1);
  });

  it('keep a build, refuse a second one, and swap it in', async () => {
    expect(await run('rebuild', '--reason', 'a test', '--keep')).toMatchObject({ code: 0 });
    const second = await run('rebuild', '--reason', 'another');
    expect(second).toMatchObject({ lines: [], code: 1 });
    expect(second.complaints).toEqual([expect.stringContaining('(rebuild_in_progress)')]);
    expect(await run('swap', '2', '--reason', 'now')).toMatchObject({ code: 0 });
    expect(await run('drop', '2')).toMatchObject({
      complaints: ['tenure: generation 2 is the one that is read (generation_is_live)'],
      code: 1,
    });
  });

  it('resume and skip where there is a fault, by its position, and refuse elsewhere', async () => {
    const position = await log.recordRaw({
      id: randomUUID(),
      type: 'FromTheFuture',
      data: '{}',
      metadata: '{}',
    });
    const service = await log.start('another', { faultLimit: 0 });
    const isFaulted = (): boolean => service.engine.status().state === 'faulted';
    await until('it stands at the fault', isFaulted);
    expect((await run('status')).lines).toEqual([
      expect.stringContaining(`, STOPPED at FromTheFuture (position ${position}): `),
    ]);
    expect(await run('resume')).toEqual({
      lines: [`generation 1 is tried again at FromTheFuture (position ${position}): 0 streams and 0 users`],
      complaints: [],
      code: 0,
    });
    await until('it met it again', () => service.faults.length === 2 && isFaulted());
    expect(await run('skip', '2', '--reason', 'a test')).toMatchObject({
      lines: [],
      complaints: [expect.stringContaining('(fault_elsewhere)')],
      code: 1,
    });
    for (const [given, code] of [
      [['skip', position], 64],
      [['skip', position, '--reason', ' '], 64],
      [['skip', 'first', '--reason', 'a test'], 64],
      [['resume', '9'], 1],
    ] as const) {
      expect(await run(...given)).toMatchObject({ lines: [], code });
    }
    expect(await run('skip', position, '--reason', 'a test', '--actor', 'eva', '--json')).toMatchObject({
      code: 0,
    });
    await service.reaches(String(Number(position) + 1));
    expect(await run('resume')).toMatchObject({
      complaints: [expect.stringContaining('(no_fault)')],
      code: 1,
    });
    expect(await run('verify')).toMatchObject({ code: 0 });
  });

  it('resume and skip what is set aside, and show it', async () => {
    const strange = { id: randomUUID(), type: 'FromTheFuture', data: '{"userId":"dora"}', metadata: '{}' };
    const position = await log.recordRaw(strange);
    const service = await log.start('another');
    await service.reaches(position);
    const shown = ', 1 streams SET ASIDE, 1 users marked: see /v1/ops/faults';
    expect((await run('status')).lines).toEqual([expect.stringContaining(shown)]);
    expect(await run('resume')).toMatchObject({
      lines: ['generation 1 is tried again: 1 streams and 0 users'],
      code: 0,
    });
    expect((await run('verify')).lines).toContain('no difference');
    expect((await run('skip', '2', '--reason', 'a test')).complaints).toEqual([
      expect.stringContaining(`at fault is FromTheFuture (position ${position}) (fault_elsewhere)`),
    ]);
    expect(await run('skip', position, '--reason', 'a test')).toMatchObject({ code: 0 });
    await until('it is gone past', () => service.engine.status().setAside.streams === 0);
    expect((await run('status')).lines).toEqual([expect.not.stringContaining('ASIDE')]);
    expect((await run('verify')).lines).toEqual([
      expect.stringContaining('at '),
      'no difference',
      '1 users not compared, of whom something was folded late: rebuild to have them compared',
    ]);
  });

  it('end with 1 where the read models differ from the log', async () => {
    await log.pool.query(`update tenure.user_role set counter = 9 where user_id = 'ann'`);
    const verified = await run('verify', '--users', '1');
    expect(verified.code).toBe(1);
    expect(verified.lines).toContain('2 rows differ');
  });
});
