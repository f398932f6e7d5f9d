import { until } from '../../test/support/until.js';
import type { CommandResult } from '../commands/aggregate.js';
import type { ReachAccessDeadline } from '../commands/deadline.aggregate.js';
import { DeadlineScheduler } from './deadline-scheduler.js';

describe('The look for deadlines', () => {
  it('goes on in another log though an append to the one before it is answered late', async () => {
    const answers: ((result: CommandResult) => void)[] = [];
    const asked: string[] = [];
    const scheduler = new DeadlineScheduler({
      deadlines: { due: async () => [{ userId: 'ann', at: 0 }] },
      commands: {
        execute: ({ userId }: ReachAccessDeadline) =>
          new Promise((resolve) => {
            asked.push(userId);
            answers.push(resolve);
          }),
      },
      isOurs: () => true,
      handled: () => '10',
      metrics: { deadline: () => undefined },
      onTrouble: () => undefined,
    });
    scheduler.start();
    try {
      await until('the deadline is appended', () => asked.length === 1);
      scheduler.forget();
      answers[0]?.({ outcome: 'applied', event: 'AccessDeadlineReached', position: '1000' });
      await until('it is appended again', () => asked.length === 2);
    } finally {
      const stopped = scheduler.stop();
      answers[1]?.({ outcome: 'applied', event: 'AccessDeadlineReached', position: '11' });
      await stopped;
    }
  });
});
