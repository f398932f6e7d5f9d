import { decided, originOf } from '../../test/support/decisions.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import { ReportUsage, usageAggregate } from './usage.aggregate.js';

const report = (limit: string, value: number): ReportUsage =>
  new ReportUsage('ann', limit, value, { ...originOf('key'), causation: null });
const reported = (limit: string, value: number, values: Record<string, number>): DomainEvent => ({
  type: 'UsageReported',
  data: { userId: 'ann', limit, value, values },
});
const was = (...args: Parameters<typeof reported>): Happened => ({
  event: reported(...args),
  causation: null,
});

const cases: readonly [string, readonly Happened[], ReportUsage, readonly DomainEvent[]][] = [
  ['a first report', [], report('members', 7), [reported('members', 7, { members: 7 })]],
  ['a report of nothing in use', [], report('members', 0), [reported('members', 0, { members: 0 })]],
  ['the same again', [was('members', 7, { members: 7 })], report('members', 7), []],
  [
    'another value',
    [was('members', 7, { members: 7 })],
    report('members', 8),
    [reported('members', 8, { members: 8 })],
  ],
  [
    'the value before last',
    [was('members', 7, { members: 7 }), was('members', 8, { members: 8 })],
    report('members', 7),
    [reported('members', 7, { members: 7 })],
  ],
  [
    'another limit, and keeps what was reported of the others',
    [was('members', 7, { members: 7 })],
    report('projects', 2),
    [reported('projects', 2, { members: 7, projects: 2 })],
  ],
  [
    'the same of one limit after another was reported',
    [was('members', 7, { members: 7 }), was('projects', 2, { members: 7, projects: 2 })],
    report('members', 7),
    [],
  ],
  [
    'a limit with the name of what every object inherits',
    [],
    report('constructor', 1),
    [reported('constructor', 1, { constructor: 1 } as unknown as Record<string, number>)],
  ],
];

describe('The usage of a user', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(usageAggregate, given, when)).toEqual(then);
  });
});
