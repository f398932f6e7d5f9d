import type { ProjectionState } from '../projections/engine/projection.js';
import { LeadershipLog } from './leadership-log.js';

const LEADING = 'leading: this instance folds the log';
const FOLLOWING =
  'following: another session folds the log, of another instance or of one that ended just now';
const NOT_LEADING = 'not leading: this instance folds nothing until it has the lead';

/** What is told of an instance that is seen in these states, one after the other. */
function toldOf(states: readonly (readonly [ProjectionState, boolean])[]): readonly unknown[] {
  const told: unknown[] = [];
  let [state, otherLeads]: readonly [ProjectionState, boolean] = ['starting', false];
  const status = () => ({ projection: 'entitlements', state, otherLeads, handled: '7' });
  const log = new LeadershipLog(status, { info: (...line: unknown[]) => told.push(line.at(-1)) });
  for ([state, otherLeads] of states) log.look();
  log.stop();
  return told;
}

describe('The log of who leads', () => {
  it('tells once at each change whether this instance leads or another session does', () => {
    const told = toldOf([
      ['standby', true],
      ['standby', true],
      ['leading', false],
      ['leading', false],
      ['faulted', false],
      ['leading', false],
      ['standby', true],
    ]);
    expect(told).toEqual([FOLLOWING, LEADING, FOLLOWING]);
  });

  it('names no other session where none was met, as of an instance alone that lost its session', () => {
    const told = toldOf([
      ['leading', false],
      ['standby', false],
      ['leading', false],
    ]);
    expect(told).toEqual([LEADING, NOT_LEADING, LEADING]);
  });
});
