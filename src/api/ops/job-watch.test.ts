import { watchJob } from './job-watch.js';

const READING = { finishedAt: null, subscriptions: 100, secondsLeft: null as number | null };

/** Watches a job that is seen as given, look by look; the client leaves at a look that is not given. */
async function watched(looks: readonly (typeof READING | { finishedAt: string })[], hasRoom = true) {
  const client = new AbortController();
  const sent: [string, unknown][] = [];
  let look = 0;
  const job = async () => {
    const seen = looks[look];
    look += 1;
    if (seen === undefined) client.abort();
    return seen ?? null;
  };
  const send = (event: string, data: unknown): void => void sent.push([event, data]);
  await watchJob(job, { signal: client.signal, hasRoom, send }, 1);
  return { sent, looks: look };
}

describe('A watcher of a job', () => {
  it('is told of every change once, of the time left never alone, and of the end', async () => {
    const sooner = { ...READING, secondsLeft: 5 };
    const further = { ...READING, subscriptions: 200 };
    const over = { finishedAt: '2026-01-01T00:00:00.000Z' };
    const { sent } = await watched([READING, sooner, sooner, further, over, over]);
    expect(sent).toEqual([
      ['progress', READING],
      ['progress', further],
      ['done', over],
    ]);
  });

  it('is spared what it does not take, and hears of nothing once it has left', async () => {
    expect(await watched([READING, READING], false)).toEqual({ sent: [], looks: 3 });
  });
});
