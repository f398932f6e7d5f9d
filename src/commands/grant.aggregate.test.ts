import fc from 'fast-check';
import { addNothingTwice, decided, originOf } from '../../test/support/decisions.js';
import type { DomainEvent } from '../events/event-types.js';
import type { GrantIssuedData } from '../events/grant.events.js';
import type { Happened } from './aggregate.js';
import { type GrantCommand, grantAggregate, IssueGrant, RevokeGrant } from './grant.aggregate.js';

const NOW = Date.parse('2026-11-03T10:00:00.000Z');
const END = '2026-12-01T00:00:00.000Z';

function grantOf(plan: string, expiresAt: string | null = null): GrantIssuedData {
  return {
    grant: 'gr_1',
    userId: 'u1',
    plan,
    addons: {},
    features: [],
    limits: {},
    startsAt: null,
    expiresAt,
    reason: 'a gift',
    actor: 'mira',
  };
}
const issue = (plan: string, key: string | null = null): GrantCommand =>
  new IssueGrant(grantOf(plan), originOf(key));
const revoke = (at = NOW, key: string | null = null): GrantCommand =>
  new RevokeGrant('gr_1', { reason: 'a mistake', actor: 'ben' }, at, originOf(key));
const issued = (plan: string, expiresAt: string | null = null): Happened => ({
  event: { type: 'GrantIssued', data: grantOf(plan, expiresAt) },
  causation: null,
});
const revoked: Happened = {
  event: { type: 'GrantRevoked', data: { grant: 'gr_1', userId: 'u1', reason: 'a mistake', actor: 'ben' } },
  causation: null,
};

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: GrantCommand,
  then: readonly DomainEvent[],
][] = [
  ['a grant', [], issue('plus'), [issued('plus').event]],
  ['the same grant again', [issued('plus')], issue('plus', 'key:a'), []],
  ['another grant of that id', [issued('plus')], issue('pro'), []],
  ['a revocation', [issued('plus')], revoke(), [revoked.event]],
  ['a revocation of what was revoked', [issued('plus'), revoked], revoke(NOW, 'key:b'), []],
  ['a grant of the id of one that was revoked', [issued('plus'), revoked], issue('plus'), []],
  ['a revocation before the end', [issued('plus', END)], revoke(Date.parse(END) - 1), [revoked.event]],
  ['a revocation at the end', [issued('plus', END)], revoke(Date.parse(END)), []],
  ['a revocation of what was never issued', [], revoke(), []],
];

describe('the stream of a grant', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(grantAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    const keys = fc.option(fc.constantFrom('key:a', 'key:b'), { nil: null });
    const commands = fc.oneof(
      fc.tuple(fc.constantFrom('plus', 'pro'), keys).map(([plan, key]) => issue(plan, key)),
      keys.map((key) => revoke(NOW, key)),
    );
    addNothingTwice(grantAggregate, commands);
  });
});
