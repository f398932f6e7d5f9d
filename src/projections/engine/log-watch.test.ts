import { until } from '../../../test/support/until.js';
import { LogReplacedError } from '../../event-store/errors.js';
import type { LiveCheckpoint } from './checkpoint.js';
import { LogWatch } from './log-watch.js';
import { NOTHING_SET_ASIDE } from './set-aside-summary.js';

/** The checkpoint of a fold that has committed so often; its last event is at that position, with the id `e{position}`. */
function at(
  position: number,
  more: { readonly liveEpoch?: number; readonly revision?: number } = {},
): LiveCheckpoint {
  const { liveEpoch = 0, revision = position } = more;
  const handled = String(position);
  return {
    generation: liveEpoch + 1,
    liveEpoch,
    checkpoint: {
      handled,
      eventId: `e${handled}`,
      scanned: handled,
      partialProgress: [],
      logicalTime: 0,
      revision,
      events: position,
      setAside: NOTHING_SET_ASIDE,
      fault: null,
    },
  };
}

describe('A watch over the log', () => {
  let ids: Map<string, string>;
  let live: LiveCheckpoint;
  let isAway: boolean;
  let calls: string[];
  let looks: number;
  /** So many looks find another event than the log has. */
  let wrongAnswers: number;
  let watch: LogWatch;

  beforeEach(() => {
    ids = new Map([1, 2, 3, 4, 5].map((position) => [String(position), `e${position}`]));
    live = at(5);
    isAway = false;
    calls = [];
    looks = 0;
    wrongAnswers = 0;
    watch = new LogWatch({
      store: {
        head: async () => {
          looks += 1;
          if (isAway) throw new Error('away');
          return [...ids.keys()].at(-1) ?? null;
        },
        eventIdAt: async (position) => {
          if (wrongAnswers === 0) return ids.get(position) ?? null;
          wrongAnswers -= 1;
          return 'x';
        },
      },
      readCheckpoint: async () => live,
      onReplaced: ({ handled, end }) => calls.push(`replaced: ${handled} known, ends at ${end}`),
      onHealed: () => calls.push('healed'),
      onForget: () => calls.push('forget'),
      onTrouble: () => calls.push('trouble'),
      everyMs: 20,
    });
  });
  afterEach(() => watch.stop());

  it.each<[string, () => void, string]>([
    ['ends before the checkpoint', () => ids.delete('5'), 'replaced: 5 known, ends at 4'],
    ['is empty', () => ids.clear(), 'replaced: 5 known, ends at null'],
    ['has another event there', () => ids.set('5', 'x').set('6', 'y'), 'replaced: 5 known, ends at 6'],
    [
      'has none there, and goes on',
      () => ids.delete('5') && ids.set('7', 'y'),
      'replaced: 5 known, ends at 7',
    ],
  ])(
    'says after two looks that a log is another one that %s, until it is the known one again',
    async (_, lose, says) => {
      await watch.start();
      expect(watch.mayWrite()).toBeUndefined();
      lose();
      await until('it is known', () => watch.replaced !== null);
      await expect(watch.mayWrite()).rejects.toBeInstanceOf(LogReplacedError);
      expect(calls).toEqual(['forget', says]);
      ids = new Map([['5', 'e5']]);
      await until('it heals', () => watch.replaced === null);
      expect(watch.mayWrite()).toBeUndefined();
      expect(calls).toEqual(['forget', says, 'forget', 'healed']);
    },
  );

  it('knows it from its start on, and lets a log that was adopted be the known one', async () => {
    live = at(9);
    await watch.start();
    expect(watch.replaced).toMatchObject({ handled: '9', end: '5' });
    live = at(4, { liveEpoch: 1, revision: 1 });
    await until('it heals', () => watch.replaced === null);
  });

  it('has a write wait for the second look, and lets it pass where that finds the known log', async () => {
    await watch.start();
    wrongAnswers = 1;
    const before = looks;
    await watch.appended('5', watch.handled);
    expect(looks).toBeGreaterThan(before + 1);
    expect(calls).toEqual([]);
    ids.set('5', 'x');
    await expect(watch.appended('5', watch.handled)).rejects.toBeInstanceOf(LogReplacedError);
  });

  it('looks at an answer that is below what was folded since its last look', async () => {
    await watch.start();
    live = at(50);
    watch.confirmed(live);
    ids.clear();
    ids.set('20', 'x');
    await expect(watch.appended('20', watch.handled)).rejects.toBeInstanceOf(LogReplacedError);
  });

  it('looks at no answer of an append that is above the checkpoint', async () => {
    await watch.start();
    const before = looks;
    for (let position = 6; position < 500; position += 1)
      await watch.appended(String(position), watch.handled);
    expect(looks - before).toBeLessThan(50);
  });

  it('takes a look that failed for no sign, and reports it once', async () => {
    await watch.start();
    isAway = true;
    await until('it has failed often', () => looks > 5);
    expect(watch.mayWrite()).toBeUndefined();
    expect(calls).toEqual(['trouble']);
    await expect(watch.end()).rejects.toThrow('away');
  });

  it('has everything forgotten when the checkpoint goes back, and for no late word of an earlier one', async () => {
    await watch.start();
    watch.confirmed(at(4));
    const before = looks;
    await until('it has looked again', () => looks > before + 2);
    expect(calls).toEqual([]);
    live = at(3);
    await until('it is forgotten', () => calls.length > 0);
    expect(calls).toEqual(['forget']);
  });

  it('takes a checkpoint from before ids were kept for known where the log has an event there', async () => {
    live = { ...live, checkpoint: { ...live.checkpoint, eventId: null } };
    ids.set('5', 'whatever');
    await watch.start();
    expect(watch.replaced).toBeNull();
    ids.delete('5');
    await until('it is known', () => watch.replaced !== null);
  });
});
