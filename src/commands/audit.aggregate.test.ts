import { originOf } from '../../test/support/decisions.js';
import { auditAggregate, RecordAuditAccess } from './audit.aggregate.js';

const TEN = Date.parse('2026-11-29T10:00:00.000Z');
const MINUTE = 60_000;

/** What becomes of reads (kind, user, minutes after ten), one after the other. */
function recorded(...reads: readonly (readonly [string, string | null, number])[]): readonly boolean[] {
  let state = auditAggregate.initial;
  return reads.map(([kind, userId, minutes]) => {
    const command = new RecordAuditAccess({ kind, userId, at: TEN + minutes * MINUTE }, originOf(null));
    const [event] = auditAggregate.decide(state, command);
    if (event === undefined) return false;
    state = auditAggregate.evolve(state, { event, causation: command.origin.causation });
    expect(auditAggregate.knows(state, command.origin.causation)).toBe(true);
    return true;
  });
}

describe('A look at what is kept for audits', () => {
  it('is one event for a kind, a user and an hour', () => {
    expect(
      recorded(
        ['history', 'ann', 0],
        ['history', 'ann', 59],
        ['history', 'bob', 59],
        ['events', 'ann', 59],
        ['events', null, 59],
        ['events', null, 59.99],
        ['history', 'ann', 60],
        ['history', 'ann', 1],
      ),
    ).toEqual([true, false, true, true, true, false, true, false]);
  });

  it('is on a stream of its reader and the day, and says whose hour it was', () => {
    const { actor } = originOf(null);
    const command = new RecordAuditAccess(
      { kind: 'history', userId: 'ann', at: TEN + 25 * MINUTE },
      originOf(null),
    );
    expect(auditAggregate.streamOf('tenure.', command)).toBe(`tenure.audit-2026-11-29/${actor}`);
    expect(auditAggregate.decide(auditAggregate.initial, command)).toEqual([
      {
        type: 'AuditAccessed',
        data: { reader: actor, kind: 'history', userId: 'ann', hour: '2026-11-29T10:00:00.000Z' },
      },
    ]);
  });
});
