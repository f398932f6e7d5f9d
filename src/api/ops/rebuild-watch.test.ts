import type { RebuildJob } from '../../projections/rebuild/rebuild-jobs.js';
import { watchRebuild } from './rebuild-watch.js';

const BUILDING: RebuildJob = {
  generation: 2,
  phase: 'building',
  afterwards: 'swap',
  actor: 'ops',
  reason: 'a test',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  builtBy: '1',
  handled: '10',
  live: '100',
  events: 10,
  eventsPerSecond: 1,
  secondsLeft: 90,
  report: null,
  failure: null,
};

/** Watches a rebuild that is seen as given, look by look; the client leaves at a look that is not given. */
async function watched(looks: readonly RebuildJob[], hasRoom = true) {
  const client = new AbortController();
  const sent: { readonly event: string; readonly data: RebuildJob }[] = [];
  let look = 0;
  const rebuildOf = async (): Promise<RebuildJob | null> => {
    const seen = looks[look];
    look += 1;
    if (seen === undefined) client.abort();
    return seen ?? null;
  };
  const send = (event: string, data: unknown): void => {
    sent.push({ event, data: data as RebuildJob });
  };
  await watchRebuild({ rebuildOf }, 2, { signal: client.signal, hasRoom, send }, 1);
  return { sent, looks: look };
}

describe('A watcher of a rebuild', () => {
  it('is told of every change once, of rates never alone, and of the end', async () => {
    const slower = { ...BUILDING, eventsPerSecond: 0.5, secondsLeft: 180 };
    const further = { ...BUILDING, handled: '55', events: 55 };
    const swapped: RebuildJob = { ...further, phase: 'swapped' };
    const { sent } = await watched([BUILDING, slower, slower, further, swapped, swapped]);
    expect(sent.map(({ event, data }) => [event, data.handled])).toEqual([
      ['progress', '10'],
      ['progress', '55'],
      ['done', '55'],
    ]);
  });

  it('is told rates of the time that it watched', async () => {
    const further = { ...BUILDING, handled: '55', events: 55, secondsLeft: 45 };
    const rest = { eventsPerSecond: null, secondsLeft: null };
    const { sent } = await watched([BUILDING, further, { ...further, ...rest, phase: 'comparing' }]);
    const [first, second, third] = sent.map(({ data }) => data);
    expect(first).toMatchObject({ eventsPerSecond: 1, secondsLeft: 90 });
    // What is left takes as long as the 45 events that were seen.
    const { eventsPerSecond, secondsLeft } = second ?? {};
    expect(Number(eventsPerSecond) * Number(secondsLeft)).toBeCloseTo(45, 6);
    expect(third).toMatchObject({ phase: 'comparing', ...rest });
  });

  it('is spared what it does not take, and hears of nothing once it has left', async () => {
    expect(await watched([BUILDING, BUILDING], false)).toEqual({ sent: [], looks: 3 });
  });
});
