import type { Entitlement } from '../policy/entitlement.js';
import { changesOf, type ServedState } from './user-changes.js';

function plan(name: string): Entitlement {
  return {
    role: 'any',
    plan: name,
    status: 'active',
    features: [],
    limits: {},
    subscriptionActive: true,
    expiresAt: null,
    cancelAt: null,
    pendingPayment: null,
    source: null,
    unmappedPrices: [],
    validUntil: null,
  };
}

function state(more: Partial<ServedState>): ServedState {
  return {
    entitlement: plan('free'),
    successors: [],
    counter: 0,
    position: null,
    changedAt: null,
    versionOffset: 0,
    knownFrom: 0,
    ...more,
  };
}

/** `before>after vVersion position @at cause` of each. */
function told(before: ServedState, after: ServedState): readonly string[] {
  return changesOf('ann', '7', before, after).map(
    (c) =>
      `${c.id} ${c.before.plan}>${c.after.plan} v${c.after.revocationVersion} ${c.after.position} @${c.at} ${c.cause.kind}`,
  );
}

const LATER = { at: 50, counter: 4, entitlement: plan('free') };

describe('The changes between two states that were served', () => {
  it.each<[string, ServedState, ServedState, readonly string[]]>([
    ['none where nothing is another', state({}), state({ position: '9', knownFrom: 5 }), []],
    [
      'an event',
      state({}),
      state({ entitlement: plan('plus'), counter: 1, position: '9', changedAt: 30, knownFrom: 30 }),
      ['7.0 free>plus v1 9 @30 event'],
    ],
    [
      'what was foretold, by time alone',
      state({ entitlement: plan('plus'), counter: 3, position: '8', successors: [LATER] }),
      state({ counter: 4, position: '8', changedAt: 50, knownFrom: 60 }),
      ['7.0 plus>free v4 8 @50 time'],
    ],
    [
      'first what was foretold and then the event, with the offset of each',
      state({ entitlement: plan('plus'), counter: 3, position: '8', successors: [LATER], versionOffset: 10 }),
      state({
        entitlement: plan('pro'),
        counter: 5,
        position: '9',
        changedAt: 60,
        knownFrom: 60,
        versionOffset: 11,
      }),
      ['7.0 plus>free v14 8 @50 time', '7.1 free>pro v16 9 @60 event'],
    ],
    [
      'nothing that was foretold for later',
      state({ entitlement: plan('plus'), counter: 3, position: '8', successors: [LATER] }),
      state({ entitlement: plan('pro'), counter: 4, position: '9', changedAt: 40, knownFrom: 40 }),
      ['7.0 plus>pro v4 9 @40 event'],
    ],
  ])('are %s', (_, before, after, expected) => {
    expect(told(before, after)).toEqual(expected);
  });
});
