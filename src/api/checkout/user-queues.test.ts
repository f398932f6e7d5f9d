import { UserQueues } from './user-queues.js';

const HOUR_MS = 3_600_000;

function hold(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('Requests of users', () => {
  it('are done one after the other where they are of one user, and beside each other where they are not', async () => {
    const queues = new UserQueues({ atMost: 8, waitMs: HOUR_MS });
    const steps: string[] = [];
    const held = hold();
    const first = queues.run('ann', async () => {
      steps.push('first begins');
      await held.promise;
      steps.push('first ends');
    });
    const second = queues.run('ann', async () => steps.push('second'));
    await queues.run('bob', async () => steps.push('of another'));
    held.resolve();
    await Promise.all([first, second]);
    expect(steps).toEqual(['first begins', 'of another', 'first ends', 'second']);
  });

  it('are refused where too many wait or one waits too long, and no later one comes before the first is over', async () => {
    const queues = new UserQueues({ atMost: 2, waitMs: 1 });
    const held = hold();
    const first = queues.run('ann', () => held.promise);
    const done: string[] = [];
    const refused = { code: 'checkout_in_progress' };
    const second = queues.run('ann', async () => done.push('second'));
    await expect(queues.run('ann', async () => done.push('third'))).rejects.toMatchObject(refused);
    await expect(second).rejects.toMatchObject(refused);
    await expect(queues.run('ann', async () => done.push('fourth'))).rejects.toMatchObject(refused);
    held.resolve();
    await first;
    await queues.run('ann', async () => done.push('fifth'));
    expect(done).toEqual(['fifth']);
  });

  it('go on behind one that failed', async () => {
    const queues = new UserQueues({ atMost: 2, waitMs: HOUR_MS });
    const first = queues.run('ann', async () => {
      throw new Error('refused');
    });
    const second = queues.run('ann', async () => 'done');
    await expect(first).rejects.toThrow('refused');
    expect(await second).toBe('done');
  });
});
