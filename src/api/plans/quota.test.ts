import { planCatalogSchema } from '../../events/catalog.events.js';
import { exceededLimits } from './quota.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free', limits: { members: 5 } },
    plus: { rank: 1, role: 'paid', limits: { members: 50 }, perUnit: { projects: 10 } },
    pro: { rank: 2, role: 'paid', limits: { members: 'unlimited', projects: 100 } },
  },
  addons: { seats: { prices: ['price_seat'], limits: { members: 10 } } },
});
const choice = (plan: string, quantity = 1, addons: Record<string, number> = {}) => ({
  plan,
  quantity,
  addons,
});
const PRO = choice('pro');
const PRO_LIMITS = { members: 'unlimited', projects: 100 } as const;

describe('Limits that a change of plan would leave exceeded', () => {
  it.each([
    ['none that is used less', PRO, choice('plus'), PRO_LIMITS, { members: 50, projects: 10 }, []],
    [
      'each that is used more, by name',
      PRO,
      choice('plus', 2),
      PRO_LIMITS,
      { projects: 21, members: 51 },
      [
        { limit: 'members', used: 51, allowed: 50 },
        { limit: 'projects', used: 21, allowed: 20 },
      ],
    ],
    [
      'what the default plan does not have',
      choice('plus'),
      choice('free'),
      { members: 50, projects: 10 },
      { projects: 1, members: 5 },
      [{ limit: 'projects', used: 1, allowed: 0 }],
    ],
    [
      'what fewer add-ons allow',
      choice('plus', 1, { seats: 3 }),
      choice('plus', 1, { seats: 1 }),
      { members: 80, projects: 10 },
      { members: 61 },
      [{ limit: 'members', used: 61, allowed: 60 }],
    ],
    [
      'what fewer units allow',
      choice('plus', 3),
      choice('plus', 2),
      { members: 50, projects: 30 },
      { projects: 30, members: 50 },
      [{ limit: 'projects', used: 30, allowed: 20 }],
    ],
    [
      'not what is given beside the subscription',
      choice('plus'),
      choice('free'),
      { members: 60, projects: 10 },
      { members: 15 },
      [],
    ],
    [
      'not what is unlimited by something else',
      choice('plus'),
      choice('free'),
      { members: 'unlimited', projects: 10 },
      { members: 1_000 },
      [],
    ],
    [
      'not what is exceeded already and stays as it is',
      choice('plus', 2),
      choice('plus', 1),
      { members: 50, projects: 20 },
      { members: 99, projects: 10 },
      [],
    ],
  ] as const)('are %s', (_, held, wanted, limits, usage, expected) => {
    expect(exceededLimits(catalog, { held, wanted }, limits, new Map(Object.entries(usage)))).toEqual(
      expected,
    );
  });
});
