import type { ProjectionState } from '../projections/engine/projection.js';
import { LeadershipLog } from './leadership-log.js';

describe('Whether this instance leads', () => {
  it('is told once at each change', () => {
    const told: unknown[] = [];
    let state: ProjectionState = 'starting';
    const status = () => ({ projection: 'entitlements', state, handled: '7' });
    const log = new LeadershipLog(status, { info: (...line: unknown[]) => told.push(line.at(-1)) });
    const states: readonly ProjectionState[] = [
      'standby',
      'standby',
      'leading',
      'leading',
      'faulted',
      'leading',
      'standby',
    ];
    for (const next of states) {
      state = next;
      log.look();
    }
    log.stop();
    expect(told).toEqual([
      'following: another instance folds the log',
      'leading: this instance folds the log',
      'following: another instance folds the log',
    ]);
  });
});
