import { until } from '../../test/support/until.js';
import { LevelWriter, type LevelWriterOptions } from './level-writer.js';
import type { KnownCommit } from './shared-value.js';

/** What Redis was told: up to which revision, and whom it was to forget with that. */
interface Told {
  readonly revision: string;
  readonly forgotten: readonly string[];
  /** Redis answers, or does not. */
  readonly answer: (isDone: boolean) => void;
}

const commit = (revision: number): KnownCommit => ({ liveEpoch: 1, revision, event: `event-${revision}` });

describe('The level of the shared cache', () => {
  let told: Told[];
  let writer: LevelWriter;
  let isClosing: boolean;
  beforeEach(() => {
    told = [];
    isClosing = false;
    writer = new LevelWriter(options());
  });
  afterEach(async () => {
    isClosing = true;
    for (const { answer } of told) answer(true);
    await writer.close();
  });

  const options = (): LevelWriterOptions => ({
    redis: { ask },
    levelKey: 'level',
    pointerKey: 'pointer',
    namespace: 'test',
    keyOf: (userId) => userId,
    lifetimeMs: 1_000,
  });

  const ask: LevelWriterOptions['redis']['ask'] = (command) =>
    new Promise((resolve) => {
      const evaluate = (
        _: string,
        given: { keys: readonly string[]; arguments: readonly string[] },
      ): unknown => {
        const [, , ...forgotten] = given.keys;
        const answer = (isDone: boolean): void => resolve(isDone ? ('epoch' as never) : null);
        told.push({ revision: given.arguments[2] ?? '', forgotten, answer });
        if (isClosing) answer(true);
        return null;
      };
      void command({ eval: evaluate } as never);
    });

  /** What was told, in order: `revision users`. */
  const all = (): readonly string[] =>
    told.map(({ revision, forgotten }) => `${revision} ${forgotten.join()}`);

  async function answered(isDone = true): Promise<void> {
    told.at(-1)?.answer(isDone);
    await new Promise(setImmediate);
  }

  it('takes out whom a commit changed with the level of that commit, not with one before it', async () => {
    writer.leads(commit(10));
    await answered();
    writer.changed(['u']);
    writer.leads(commit(11));
    writer.changed(['v']);
    writer.leads(commit(12));
    writer.changed(['w']); // 13 is not confirmed yet when Redis has heard of 11
    await answered();
    expect(all()).toEqual(['10 ', '11 u', '12 v']);
    writer.leads(commit(13));
    await answered();
    expect(all()).toEqual(['10 ', '11 u', '12 v', '13 w']);
  });

  it('takes them out again with the next where it is not known whether that was done', async () => {
    writer.leads(commit(10));
    await answered();
    writer.changed(['u']);
    writer.leads(commit(11));
    await answered(false);
    writer.changed(['v']);
    writer.leads(commit(12));
    expect(all()).toEqual(['10 ', '11 u', '12 u,v']);
  });

  it('is told once more at the close, behind what is under way, and never again, also where Redis stays silent', async () => {
    writer.leads(commit(10));
    writer.changed(['u']);
    writer.leads(commit(11));
    let isClosed = false;
    const closing = writer.close().then(() => {
      isClosed = true;
    });
    await answered(false);
    expect([all(), isClosed]).toEqual([['10 ', '11 '], false]);
    await answered(false);
    await closing;
    let retries = 0;
    const silent: LevelWriterOptions['redis']['ask'] = async () => {
      retries += 1;
      return null;
    };
    const open = new LevelWriter({ ...options(), redis: { ask: silent } });
    open.leads(commit(10));
    await until('one that is open tries again', () => retries > 2);
    await open.close();
    expect(all()).toEqual(['10 ', '11 ']);
  });
});
