import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { THREAD_FLAGS } from '../../../test/support/thread-flags.js';

/** The priority of a thread that goes after others, and began at one, or at that of this process (`null`). */
function priorityAfter(begun: number | null): Promise<unknown> {
  const file = new URL('../../../test/support/placed.worker.mjs', import.meta.url);
  const thread = new Worker(file, { execArgv: [...THREAD_FLAGS], workerData: begun });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

describe('A thread that goes after others', () => {
  it('has a priority below theirs on Linux, and the one it had where that is below already, which it may not leave', async () => {
    const isLinux = process.platform === 'linux';
    const ends = isLinux ? [await priorityAfter(null), await priorityAfter(15)] : [];
    expect(ends).toEqual(isLinux ? [Math.max(10, getPriority()), 15] : []);
  });
});
