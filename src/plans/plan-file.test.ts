import { planCatalogSchema, planSchema } from '../events/catalog.events.js';
import { InvalidPlanFileError, loadPlanFile, parsePlanBody, parsePlanFile } from './plan-file.js';

const VALID = `default: free
plans:
  free: { rank: 0, role: free }
  pro:
    rank: 1
    role: paid
    features: [api]
    limits: { members: unlimited }
    prices: { monthly: price_m }
addons:
  seats:
    prices: [price_s]
    limits: { members: 10 }
`;

function faultsOf(text: string): readonly string[] {
  try {
    parsePlanFile(text, 'plans.yaml');
  } catch (error) {
    if (error instanceof InvalidPlanFileError) return error.lines;
    throw error;
  }
  return [];
}

describe('a plan file', () => {
  it('is read with every default filled in', () => {
    const { catalog } = parsePlanFile(VALID, 'plans.yaml');
    expect(catalog.policy.pastDueGraceDays).toBe(7);
    expect(catalog.plans.pro?.sellable).toBe(true);
    expect(catalog.plans.free?.features).toEqual([]);
  });

  it('has a hash of its meaning, not of its spelling', () => {
    const spelled = VALID.replace(
      '{ rank: 0, role: free }',
      '{ role: free, rank: 0, sellable: true } # same',
    );
    expect(parsePlanFile(spelled, 'a').hash).toBe(parsePlanFile(VALID, 'b').hash);
    expect(parsePlanFile(VALID.replace('10', '11'), 'a').hash).not.toBe(parsePlanFile(VALID, 'a').hash);
  });

  it.each<[string, string, readonly RegExp[]]>([
    ['a missing rank', VALID.replace('    rank: 1\n', ''), [/^plans\.yaml:4: plans\.pro\.rank/]],
    [
      'an unknown default',
      VALID.replace('default: free', 'default: gold'),
      [/^plans\.yaml:1: default: .*gold/],
    ],
    ['a price sold twice', VALID.replace('price_s', 'price_m'), [/^plans\.yaml:12: price "price_m"/]],
    [
      'an unknown key',
      VALID.replace('role: paid', 'role: paid\n    colour: red'),
      [/^plans\.yaml:7: plans\.pro\.colour/],
    ],
    [
      'a negative limit',
      VALID.replace('members: unlimited', 'members: -1'),
      [/^plans\.yaml:8: plans\.pro\.limits/],
    ],
    ['a syntax fault', VALID.replace('[api]', '[api'), [/^plans\.yaml:\d+: /]],
    ['a key said twice', `${VALID}default: pro\n`, [/^plans\.yaml:14: /]],
    [
      'several faults at once',
      VALID.replace('default: free', 'default: gold').replace('price_s', 'price_m'),
      [/default/, /price_m/],
    ],
  ])('is refused for %s, with the line at fault', (_, text, expected) => {
    const faults = faultsOf(text);
    for (const pattern of expected) expect(faults).toContainEqual(expect.stringMatching(pattern));
  });

  it.each<[string, string, readonly string[]]>([
    ['nothing in it', '', ['1: the file: empty, must be a map of keys']],
    [
      'a rank that is missing, and one that is text',
      VALID.replace('    rank: 1\n', '').replace('rank: 0', 'rank: "0"'),
      [
        '3: plans.free.rank: must be a whole number, not the text "0"',
        '4: plans.pro.rank: missing, must be a whole number',
      ],
    ],
    [
      'two slips of the pen',
      VALID.replace('role: paid', 'roles: paid\n    role: paid').replace(
        'default:',
        'policies: {}\ndefault:',
      ),
      [
        `7: plans.pro.roles: no key of plans.pro; its keys are ${Object.keys(planSchema.shape).join(', ')}`,
        `1: policies: no key of the file; its keys are ${Object.keys(planCatalogSchema.shape).join(', ')}`,
      ],
    ],
    [
      'a choice that is not there',
      `${VALID}policy:\n  sendInvoice: onpaid\n`,
      ['15: policy.sendInvoice: must be onPaid or onActive, not the text "onpaid"'],
    ],
    [
      'a limit in words',
      VALID.replace('members: unlimited', 'members: many'),
      ['8: plans.pro.limits.members: must be a whole number from 0, or unlimited, not the text "many"'],
    ],
    [
      'a price twice in one list',
      VALID.replace(
        '{ monthly: price_m }',
        '\n      monthly:\n        - price_a\n        - price_b\n        - price_a',
      ),
      ['13: price "price_a" stands in plans.pro.prices.monthly.0 already; list it once'],
    ],
    [
      'a default that is no plan',
      VALID.replace('default: free', 'default: gold'),
      ['1: default: must name a plan, and there is no plan "gold"; plans are free, pro'],
    ],
    [
      'a route of a feature that nothing gives',
      `${VALID}routes:\n  - { methods: [GET], path: /api/*, feature: api }\n  - { methods: [GET], path: /x, feature: apj }\n`,
      ['16: routes.1.feature: no plan and no add-on gives the feature "apj"'],
    ],
    ['a key twice', `${VALID}default: pro\n`, ['14: the key default stands twice in one map']],
    [
      'a second document',
      `${VALID}---\nplans: {}\n`,
      ['14: a second document begins (---); a plan file is one'],
    ],
    [
      'texts that no row can keep',
      VALID.replace('role: paid', 'role: "a\\0b"')
        .replace('[api]', '[api, "x\\ud800"]')
        .replace('monthly: price_m', '"m\\0": price_m'),
      [
        '6: plans.pro.role: holds U+0000 or half a character, which no row can keep',
        '7: plans.pro.features.1: holds U+0000 or half a character, which no row can keep',
        '9: plans.pro.prices.m\ufffd: holds U+0000 or half a character, which no row can keep',
      ],
    ],
    [
      'an alias of nothing',
      VALID.replace('features: [api]', 'features: *all'),
      ['7: *all stands for nothing: there is no &all before it'],
    ],
  ])('with %s is refused with the line, what is wrong and what would be right', (_, text, expected) => {
    const faults = faultsOf(text);
    expect([...faults].sort()).toEqual(expected.map((line) => `plans.yaml:${line}`).sort());
  });

  it.each(['/', '/api', '/api/', '/api/*', '/*', '/a.b/..c/d...', '/café'])('takes the route %s', (path) => {
    expect(
      faultsOf(`${VALID}routes:\n  - { methods: [GET, PURGE], path: "${path}", feature: api }\n`),
    ).toEqual([]);
  });

  it.each([
    '',
    'api',
    '/api?x',
    '/api#x',
    '/api/../x',
    '/api/./x',
    '//api',
    '/api//x',
    '/a*b',
    '/*/x',
    '/a;b',
    '/%61',
    '/..',
    '/../*',
  ])('refuses the route %p, which no request that is let through has', (path) => {
    expect(faultsOf(`${VALID}routes:\n  - { methods: [GET], path: "${path}", feature: api }\n`)).toEqual([
      expect.stringContaining('plans.yaml:15: routes.0.path: '),
    ]);
  });

  it('refuses a method that is never sent so', () => {
    expect(faultsOf(`${VALID}routes:\n  - { methods: [get], path: /, feature: api }\n`)).toHaveLength(1);
  });

  it('has the hash of before where it has no routes', () => {
    expect(parsePlanFile(VALID, 'plans.yaml').catalog).not.toHaveProperty('routes');
  });

  it('names a hundred of many faults, and how many more there are', () => {
    const plans = Array.from({ length: 150 }, (_, n) => `  p${n}: { rank: 1 }`);
    const faults = faultsOf(['default: p0', 'plans:', ...plans].join('\n'));
    expect(faults).toHaveLength(101);
    expect(faults[99]).toMatch(/^plans\.yaml:102: plans\.p99\.role/);
    expect(faults[100]).toBe('and 50 more');
  });

  it('sent as JSON means what the same file means', () => {
    const body = {
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free' },
        pro: {
          rank: 1,
          role: 'paid',
          features: ['api'],
          limits: { members: 'unlimited' },
          prices: { monthly: 'price_m' },
        },
      },
      addons: { seats: { prices: ['price_s'], limits: { members: 10 } } },
    };
    expect(parsePlanBody(body)).toEqual(parsePlanFile(VALID, 'plans.yaml'));
    expect(() => parsePlanBody({ ...body, default: 'gold' })).toThrow(/^body: default: .*gold/);
  });

  it.each<[string, unknown]>([
    [
      '8,000 faulty plans',
      { plans: Object.fromEntries(Array.from({ length: 8_000 }, (_, n) => [`p${n}`, { rank: 'x' }])) },
    ],
    ['half a million features', { plans: { free: { features: Array(500_000).fill(1) } } }],
    ['half a million entries', Array(500_000).fill(1)],
  ])('sent as JSON is refused for %s before any of them is looked at', (_, body) => {
    expect(() => parsePlanBody(body)).toThrow(/^body: it has more than 10000 values$/);
  });

  it('that cannot be read is named', async () => {
    await expect(loadPlanFile('/nowhere/plans.yaml')).rejects.toThrow(
      /^\/nowhere\/plans\.yaml: there is no such file$/,
    );
    await expect(loadPlanFile('/')).rejects.toThrow(/^\/: cannot be read \(EISDIR\)$/);
  });

  it('is shipped as an example that is valid', async () => {
    await expect(loadPlanFile('plans.yaml')).resolves.toMatchObject({ catalog: { default: 'free' } });
  });
});
