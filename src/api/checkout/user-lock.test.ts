import type { Pool } from 'pg';
import { UserLocks } from './user-lock.js';

describe('Locks of users', () => {
  it('take one place for all requests of one user, so that others buy meanwhile', async () => {
    let connections = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const connect = async (): Promise<never> => {
      connections += 1;
      await released;
      throw new Error('no database');
    };
    const locks = new UserLocks({ connect } as unknown as Pool);
    const ofAnn = Array.from({ length: 8 }, () => locks.holding('ann', async () => 'ann'));
    const ofBob = locks.holding('bob', async () => 'bob');
    const ended = Promise.allSettled([...ofAnn, ofBob]);
    await new Promise((resolve) => setImmediate(resolve)); // whoever may begin has begun
    expect(connections).toBe(2);
    release();
    for (const { status } of await ended) expect(status).toBe('rejected');
  });
});
