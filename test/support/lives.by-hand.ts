import fc from 'fast-check';
import type { ByHandFacts } from '../../src/policy/facts.js';
import { byHand, type GrantStory, type OverrideStory } from './by-hand-stories.js';
import { DAWN, DAY } from './lives.facts.js';

const seconds = fc.constantFrom(0, 0, 1, 5, 20, 31, 45, 90).map((days) => DAWN + days * DAY);

const grants: fc.Arbitrary<GrantStory> = fc.record(
  {
    // Some are of plans and add-ons that no catalogue has.
    plan: fc.constantFrom(
      'free',
      'plus',
      'plus',
      'pro',
      'pro',
      'team',
      'trickle',
      'enterprise',
      'gold',
      'valueOf',
    ),
    addons: fc.constantFrom<Record<string, number>>(
      { seats: 2 },
      { seats: 1, space: 3 },
      { vault: 1 },
      { boxes: 4 },
      { boost: 1 },
    ),
    features: fc.subarray(['export', 'sso', 'seating', 'gilded', 'toString']),
    limits: fc.constantFrom<NonNullable<GrantStory['limits']>>(
      { members: 60 },
      { members: 'unlimited' },
      { projects: 21, storage: 5 },
      { crates: 3 },
    ),
    recorded: seconds,
    from: seconds,
    until: seconds,
    revoked: seconds,
  },
  { requiredKeys: ['recorded'] },
);

const overrides: fc.Arbitrary<OverrideStory> = fc
  .record({
    of: fc.constantFrom<Pick<OverrideStory, 'key' | 'value' | 'add'>>(
      { key: 'export', value: true },
      { key: 'export', value: false },
      { key: 'reports', value: false },
      { key: 'sso', value: true },
      { key: 'gilded', value: true },
      { key: 'members', value: 7 },
      { key: 'members', value: 'unlimited' },
      { key: 'members', add: 25 },
      { key: 'members', add: -600 },
      { key: 'projects', add: 4 },
      { key: 'storage', add: -3 },
      { key: 'crates', value: 1 },
    ),
    recorded: seconds,
    until: fc.option(seconds, { nil: undefined }),
    removed: fc.option(seconds, { nil: undefined, freq: 4 }),
  })
  .map(({ of, recorded, until, removed }) => ({
    ...of,
    recorded,
    ...(until === undefined ? {} : { until }),
    ...(removed === undefined ? {} : { removed }),
  }));

/** What somebody has by hand: up to three grants, and up to four overrides, one for a key and kind. */
export function givenByHand(): fc.Arbitrary<ByHandFacts> {
  return fc
    .record({
      grants: fc.array(grants, { maxLength: 3 }),
      overrides: fc.uniqueArray(overrides, {
        maxLength: 4,
        selector: ({ key, value }) => `${typeof value === 'boolean'} ${key}`,
      }),
    })
    .map((stories) => byHand(stories.grants, stories.overrides));
}
