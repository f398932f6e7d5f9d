import { setImmediate as endOfTurn } from 'node:timers/promises';
import { AppendQueue } from './append-queue.js';
import type { Append } from './append-statement.js';

const LIMITS = { statementsInFlight: 1, appendsPerStatement: 10, weightPerStatement: 10, callMs: 1 };

describe('The queue of appends', () => {
  it('is closed once what waited has run out of time, also where that was before it could be sent', async () => {
    let sent = 0;
    const queue = new AppendQueue(async (batch) => {
      sent += batch.length;
      return [];
    }, LIMITS);
    await endOfTurn(); // from here on timers that are over come before the next end of a turn
    const append: Append = { stream: 'a', expected: -1, events: [], weight: 1 };
    const added = expect(queue.add(append)).rejects.toThrow('took longer than 1 ms');
    const closed = queue.close();
    const busyUntil = performance.now() + 20;
    while (performance.now() < busyUntil);
    await added;
    await closed;
    expect(sent).toBe(0);
  });
});
