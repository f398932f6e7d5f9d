import { setImmediate } from 'node:timers/promises';
import { allDone } from './all-done.js';

describe('Work that is done together', () => {
  it('fails as it failed, once all of it has ended', async () => {
    let isDone = false;
    const slow = async (): Promise<void> => {
      await setImmediate();
      isDone = true;
    };
    await expect(allDone([Promise.reject(new Error('unreadable')), slow()])).rejects.toThrow('unreadable');
    expect(isDone).toBe(true);
  });
});
