import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import { accessChange, isNoOlder, laterOf, parseSnapshot } from './snapshot.js';

describe('The change between two snapshots', () => {
  const free = freeSnapshot();
  const plus = paidSnapshot();
  it.each([
    ['a plan with more of everything', free, plus, 'upgraded'],
    ['the loss of the plan', plus, freeSnapshot({ revocationVersion: 2 }), 'changed'],
    [
      'a greater limit alone',
      plus,
      paidSnapshot({ limits: { members: 501 }, revocationVersion: 2 }),
      'upgraded',
    ],
    ['no limit any more', plus, paidSnapshot({ limits: { members: 'unlimited' } }), 'upgraded'],
    ['one feature for another', plus, paidSnapshot({ features: ['export', 'sso'] }), 'changed'],
    ['the status alone', plus, paidSnapshot({ status: 'past_due', revocationVersion: 2 }), 'changed'],
    ['a date alone', plus, paidSnapshot({ expiresAt: '2027-01-01T00:00:00.000Z', position: '120' }), 'same'],
  ] as const)('is said of %s', (_, before, after, change) => {
    expect(accessChange(before, after)).toBe(change);
  });
});

describe('The order of snapshots', () => {
  it('goes by the version, then by the position as an integer', () => {
    const at = (revocationVersion: number, position: string | null) =>
      paidSnapshot({ revocationVersion, position });
    expect(isNoOlder(at(2, '5'), at(1, '90'))).toBe(true);
    expect(isNoOlder(at(1, '90'), at(2, '5'))).toBe(false);
    expect(isNoOlder(at(1, '100'), at(1, '99'))).toBe(true);
    expect(isNoOlder(at(1, '99'), at(1, '100'))).toBe(false);
    expect(isNoOlder(at(0, null), at(0, null))).toBe(true);
    expect(laterOf('9', '10')).toBe('10');
    expect(laterOf(null, '10')).toBe('10');
  });
});

describe('A value that is no snapshot', () => {
  it.each([
    ['nothing', null],
    ['a list', []],
    ['a problem', { type: 'about:blank', status: 401 }],
    ['features that are no list', { ...paidSnapshot(), features: 'export' }],
    ['a limit that is a text', { ...paidSnapshot(), limits: { members: '500' } }],
    ['a position that is a number', { ...paidSnapshot(), position: 100 }],
  ])('is refused: %s', (_, value) => {
    expect(() => parseSnapshot(value)).toThrow('This is no snapshot');
  });

  it('does not include a snapshot of a later version, with fields that are not known yet', () => {
    const later = { ...paidSnapshot(), seats: 3 };
    expect(parseSnapshot(later)).toBe(later);
  });
});
