import { buildSteps, foldSteps, judgedSteps, progressOn, type Step } from './progress.js';

const STEP: Step = { part: 0.5, eventsPerSecond: 1234.4, secondsLeft: 75, says: 'at 50 of 100' };

/** What is shown of one step and the end, on a terminal of some width or on none. */
function shown(width: { readonly width?: number }, step = STEP): string {
  let err = '';
  const progress = progressOn({
    environment: {},
    out: () => {
      throw new Error('progress is not a result');
    },
    err: (text) => {
      err += text;
    },
    exitWith: () => undefined,
    ...width,
  });
  progress.show(step);
  progress.show(step);
  progress.end();
  return err;
}

describe('Progress', () => {
  it('is drawn over in place on a terminal, without colours, and wiped away at the end', () => {
    const [, drawn, wiped] = shown({ width: 120 }).split('\r');
    expect(drawn).toBe('[##########..........] at 50 of 100, 50 %, 1234 events/s, 1 min 15 s left\x1b[K');
    expect(wiped).toBe('\x1b[K');
    expect(shown({ width: 120 })).not.toContain('\n');
    const controls = shown({ width: 120 }).split('\x1b[').slice(1);
    expect(controls.map((control) => control[0])).toEqual(['K', 'K']);
  });

  it('never fills the line, which would wrap', () => {
    const [, drawn = ''] = shown({ width: 30 }).split('\r');
    expect(drawn.replace('\x1b[K', '')).toHaveLength(29);
  });

  it('is a plain line now and then where nobody looks', () => {
    expect(shown({})).toBe('tenure: at 50 of 100, 50 %, 1234 events/s, 1 min 15 s left\n');
  });

  it('says no more than is known', () => {
    const unknown = { ...STEP, part: null, eventsPerSecond: null, secondsLeft: null };
    expect(shown({}, unknown)).toBe('tenure: at 50 of 100\n');
    expect(foldSteps()(null, null, 0)).toEqual({
      part: null,
      eventsPerSecond: null,
      secondsLeft: null,
      says: '0 events, at the beginning of nothing',
    });
  });

  it.each([
    ['0', '10', 0],
    ['5', '10', 0.5],
    ['11', '10', 1],
  ])('of a fold at %s of %s is the part %d', (handled, until, part) => {
    expect(foldSteps()(handled, until, 0)).toMatchObject({ part });
  });

  it('of a build is that of a fold, behind the number of its generation', () => {
    let now = 0;
    const [build, fold] = [buildSteps(() => now), foldSteps(() => now)];
    const looks: readonly (readonly [ms: number, handled: string | null, events: number])[] = [
      [0, null, 0],
      [1_000, '100', 10],
      [5_000, '500', 50],
      [6_000, '600', 60],
    ];
    const steps = looks.map(([ms, handled, events]) => {
      now = ms;
      const step = fold(handled, '1000', events);
      const built = { generation: 2, handled, live: '1000', events, eventsPerSecond: 0, secondsLeft: null };
      expect(build(built)).toEqual({ ...step, says: `generation 2: ${step.says}` });
      return step;
    });
    expect(steps.map(({ part }) => part)).toEqual([0, 0.1, 0.5, 0.6]);
    expect(steps.map(({ secondsLeft }) => secondsLeft)).toEqual([null, null, 5, 4]);
    expect(steps[2]).toMatchObject({ eventsPerSecond: 10, says: '50 events, at 500 of 1000' });
  });

  it('tells a pace once it was watched for a while, of what was done since the first look that found any', () => {
    let now = 0;
    const step = foldSteps(() => now);
    const paceAt = (ms: number, handled: string | null, events: number) => {
      now = ms;
      const { eventsPerSecond, secondsLeft } = step(handled, '13000', events);
      return [eventsPerSecond, secondsLeft];
    };
    // It took five seconds to begin, and positions of this log begin at 1000.
    expect(paceAt(0, null, 0)).toEqual([null, null]);
    expect(paceAt(5_000, '1000', 10)).toEqual([null, null]);
    expect(paceAt(5_001, '2900', 29)).toEqual([null, null]);
    expect(paceAt(7_000, '3000', 30)).toEqual([10, 10]);
    expect(paceAt(8_000, '13000', 130)).toEqual([40, 0]);
  });

  it('tells no pace of a build, or of users who are judged, at the first look', () => {
    const building = { generation: 2, events: 500, eventsPerSecond: 1e9, secondsLeft: 0.001 };
    expect(buildSteps(() => 1)({ ...building, handled: '500', live: '1000' })).toMatchObject({
      part: 0.5,
      eventsPerSecond: null,
      secondsLeft: null,
    });
    expect(judgedSteps(() => 1)(1, 1_000)).toMatchObject({ secondsLeft: null });
  });
});
