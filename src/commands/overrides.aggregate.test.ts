import fc from 'fast-check';
import { addNothingTwice, decided, originOf } from '../../test/support/decisions.js';
import type { DomainEvent } from '../events/event-types.js';
import type { OverrideSetData } from '../events/override.events.js';
import type { Happened } from './aggregate.js';
import {
  type OverrideCommand,
  overridesAggregate,
  RemoveOverride,
  SetOverride,
} from './overrides.aggregate.js';

const NOW = Date.parse('2026-11-03T10:00:00.000Z');
const END = '2026-12-01T00:00:00.000Z';

type Said = Partial<Pick<OverrideSetData, 'value' | 'add' | 'expiresAt' | 'reason'>>;
function dataOf(key: string, said: Said): OverrideSetData {
  return {
    userId: 'u1',
    key,
    value: null,
    add: null,
    expiresAt: null,
    reason: 'agreed',
    actor: 'mira',
    ...said,
  };
}
const set = (key: string, said: Said, causation: string | null = null): OverrideCommand =>
  new SetOverride(dataOf(key, said), originOf(causation));
const remove = (key: string, at = NOW, causation: string | null = null): OverrideCommand =>
  new RemoveOverride('u1', key, { reason: null, actor: 'ben' }, at, originOf(causation));
const wasSet = (key: string, said: Said, causation: string | null = null): Happened => ({
  event: { type: 'OverrideSet', data: dataOf(key, said) },
  causation,
});
const wasRemoved = (key: string): Happened => ({
  event: { type: 'OverrideRemoved', data: { userId: 'u1', key, reason: null, actor: 'ben' } },
  causation: null,
});

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: OverrideCommand,
  then: readonly DomainEvent[],
][] = [
  ['a feature put on', [], set('export', { value: true }), [wasSet('export', { value: true }).event]],
  ['what is set already', [wasSet('members', { add: 5 })], set('members', { add: 5 }), []],
  [
    'another value',
    [wasSet('members', { add: 5 })],
    set('members', { value: 5 }),
    [wasSet('members', { value: 5 }).event],
  ],
  [
    'another reason',
    [wasSet('members', { add: 5 })],
    set('members', { add: 5, reason: 'agreed anew' }),
    [wasSet('members', { add: 5, reason: 'agreed anew' }).event],
  ],
  [
    'a repeat of what was replaced since',
    [wasSet('members', { value: 5 }, 'key:a'), wasSet('members', { value: 6 })],
    set('members', { value: 5 }, 'key:a'),
    [],
  ],
  [
    'a feature beside a limit of its key',
    [wasSet('seats', { value: 5 })],
    set('seats', { value: false }),
    [wasSet('seats', { value: false }).event],
  ],
  [
    'a removal of both at once',
    [wasSet('seats', { value: 5 }), wasSet('seats', { value: false })],
    remove('seats'),
    [wasRemoved('seats').event],
  ],
  ['a removal of what is not set', [wasSet('members', { value: 5 })], remove('seats'), []],
  ['a removal after a removal', [wasSet('seats', { value: 5 }), wasRemoved('seats')], remove('seats'), []],
  [
    'a removal of what is over',
    [wasSet('seats', { value: 5, expiresAt: END })],
    remove('seats', Date.parse(END)),
    [],
  ],
  [
    'the same once it was removed',
    [wasSet('seats', { value: 5 }), wasRemoved('seats')],
    set('seats', { value: 5 }),
    [wasSet('seats', { value: 5 }).event],
  ],
];

describe("the stream of a user's overrides", () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(overridesAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    const keys = fc.option(fc.constantFrom('key:a', 'key:b'), { nil: null });
    const names = fc.constantFrom('seats', 'members');
    const said = fc.constantFrom<Said>(
      { value: true },
      { value: 5 },
      { add: -1 },
      { value: 5, expiresAt: END },
    );
    const commands = fc.oneof(
      fc.tuple(names, said, keys).map(([key, each, causation]) => set(key, each, causation)),
      fc.tuple(names, keys).map(([key, causation]) => remove(key, NOW, causation)),
    );
    addNothingTwice(overridesAggregate, commands);
  });
});
