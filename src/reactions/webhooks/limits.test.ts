import type { Limit } from '../../events/catalog.events.js';
import { isAnyLower, type LimitNews, newsOfChange, newsOfReport } from './limits.js';

type Limits = Readonly<Record<string, Limit>>;

/** `key used/allowed type` */
function told({ type, limit: { key, used, allowed } }: LimitNews): string {
  return `${key} ${used}/${allowed} ${type}`;
}

describe('A report of usage', () => {
  it.each<[string, Limit | null, number, number, string | null]>([
    ['of less than is allowed is told nothing', 10, 0, 9, null],
    ['of all that is allowed reaches the limit', 10, 9, 10, 'members 10/10 limit.reached'],
    ['that comes first may reach it', 10, 0, 10, 'members 10/10 limit.reached'],
    ['of more exceeds it', 10, 10, 11, 'members 11/10 limit.exceeded'],
    ['of more at once exceeds it alone', 10, 3, 12, 'members 12/10 limit.exceeded'],
    ['of still more is told nothing', 10, 11, 12, null],
    ['of less that is still too much is told nothing', 10, 12, 11, null],
    ['that comes down to the limit is told nothing', 10, 11, 10, null],
    ['of nothing reaches no limit of 0', 0, 0, 0, null],
    ['of something exceeds a limit of 0', 0, 0, 1, 'members 1/0 limit.exceeded'],
    ['of something exceeds a limit that is not given', null, 0, 1, 'members 1/0 limit.exceeded'],
    ['reaches nothing that is unlimited', 'unlimited', 0, 1_000_000, null],
  ])('%s', (_, limit, before, value, expected) => {
    const limits: Limits = limit === null ? { projects: 3 } : { members: limit, projects: 3 };
    const news = newsOfReport(limits, { limit: 'members', value }, before);
    expect(news === null ? null : told(news)).toBe(expected);
  });

  it('of a limit with the name of what every object inherits is of that limit', () => {
    const news = newsOfReport({}, { limit: 'constructor', value: 1 }, 0);
    expect(news === null ? null : told(news)).toBe('constructor 1/0 limit.exceeded');
  });
});

describe('A change of what is served', () => {
  it.each<[string, Limits, Limits, Record<string, number>, readonly string[]]>([
    ['to more exceeds nothing', { members: 5 }, { members: 10 }, { members: 5 }, []],
    ['to what is used exceeds nothing', { members: 10 }, { members: 5 }, { members: 5 }, []],
    [
      'to less than is used exceeds it',
      { members: 10 },
      { members: 5 },
      { members: 6 },
      ['members 6/5 limit.exceeded'],
    ],
    ['to still less is told nothing again', { members: 5 }, { members: 3 }, { members: 6 }, []],
    ['to more that is still too little is told nothing', { members: 3 }, { members: 5 }, { members: 6 }, []],
    [
      'from unlimited exceeds it',
      { members: 'unlimited' },
      { members: 5 },
      { members: 6 },
      ['members 6/5 limit.exceeded'],
    ],
    ['to unlimited exceeds nothing', { members: 5 }, { members: 'unlimited' }, { members: 9 }, []],
    [
      'that takes a limit away exceeds it',
      { members: 10 },
      {},
      { members: 1 },
      ['members 1/0 limit.exceeded'],
    ],
    ['of what nobody uses exceeds nothing', { members: 10 }, {}, {}, []],
    ['of a limit used to 0 exceeds nothing', { members: 10 }, {}, { members: 0 }, []],
    [
      'that lowers several tells each, by key',
      { projects: 9, members: 10, seats: 4 },
      { projects: 1, members: 5, seats: 4 },
      { projects: 2, members: 6, seats: 4 },
      ['members 6/5 limit.exceeded', 'projects 2/1 limit.exceeded'],
    ],
  ])('%s', (_, before, after, usage, expected) => {
    expect(newsOfChange(before, after, usage).map(told)).toEqual(expected);
    // What was reported is looked for only where a limit is lower.
    if (expected.length > 0) expect(isAnyLower(before, after)).toBe(true);
  });

  it.each<[string, Limits, Limits, boolean]>([
    ['equal', { members: 5 }, { members: 5 }, false],
    ['higher', { members: 5 }, { members: 6 }, false],
    ['new', {}, { members: 6 }, false],
    ['unlimited and stay so', { members: 'unlimited' }, { members: 'unlimited' }, false],
    ['lower beside one that is higher', { a: 5, b: 5 }, { a: 9, b: 4 }, true],
    ['gone', { members: 5 }, {}, true],
    ['no longer unlimited', { members: 'unlimited' }, { members: 5 }, true],
  ])('whose limits are %s is known', (_, before, after, expected) => {
    expect(isAnyLower(before, after)).toBe(expected);
  });
});
