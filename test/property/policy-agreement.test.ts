import fc from 'fast-check';
import { judge } from '../../src/policy/judge.js';
import {
  boughtLife,
  burstLife,
  disputedLife,
  givenLife,
  type Life,
  lapsedLife,
  life,
  noisyLife,
  paymentLife,
  shuffled,
  stripeLife,
} from '../support/lives.js';
import { oracleJudge } from '../support/oracle/judge.js';
import {
  at,
  day,
  dispute,
  purchase,
  refunded,
  refundFailed,
  sale,
  storyCatalog,
} from '../support/policy-stories.js';

/** How many lives of each kind are tried; `AGREEMENT_SEED` repeats a run. */
const numRuns = Number(process.env.AGREEMENT_RUNS ?? '80');
const seed = process.env.AGREEMENT_SEED === undefined ? {} : { seed: Number(process.env.AGREEMENT_SEED) };

const kinds: readonly (readonly [string, () => fc.Arbitrary<Life>])[] = [
  ['lives as Stripe tells them', stripeLife],
  ['lives crowded into a second', burstLife],
  ['lives that turn on what was paid for', paymentLife],
  ['lives in which payments stop', lapsedLife],
  ['lives in which money goes back', disputedLife],
  ['lives beside which something is given by hand', givenLife],
  ['lives beside which plans are bought once', boughtLife],
  ['lives without rhyme or reason', noisyLife],
];

describe.each(kinds)('the access policy, on %s', (_name, lives) => {
  it('agrees with a second program written from the text of the design alone', () => {
    fc.assert(
      fc.property(lives(), ({ facts, catalog, now }) => {
        expect(judge(facts, catalog, now)).toEqual(oracleJudge(facts, catalog, now));
      }),
      { numRuns, ...seed },
    );
  });

  it('judges by the set of facts, whatever their order and however often each is told', () => {
    fc.assert(
      fc.property(lives(), fc.nat(), ({ facts, catalog, now }, order) => {
        expect(judge(shuffled(facts, order), catalog, now)).toEqual(judge(facts, catalog, now));
      }),
      { numRuns, ...seed },
    );
  });

  it('is held against a second program that itself judges by the set of facts', () => {
    fc.assert(
      fc.property(lives(), fc.nat(), ({ facts, catalog, now }, order) => {
        const told = oracleJudge(shuffled(facts, order), catalog, now);
        expect(told).toEqual(oracleJudge(facts, catalog, now));
      }),
      { numRuns: Math.ceil(numRuns / 4), ...seed },
    );
  });
});

describe('successors of the access policy', () => {
  it('are what it says itself when asked at their instant, and nothing changes between them', () => {
    fc.assert(
      fc.property(fc.oneof(life(), givenLife()), ({ facts, catalog, now }) => {
        const { entitlement, successors } = judge(facts, catalog, now);
        let holds = entitlement;
        for (const { at, entitlement: next } of successors) {
          expect(judge(facts, catalog, at - 1).entitlement).toEqual(holds);
          expect(judge(facts, catalog, at).entitlement).toEqual(next);
          holds = next;
        }
      }),
      { numRuns, ...seed },
    );
  });
});

describe('the second program', () => {
  it('takes once from what a purchase had back a refund that failed, however often that is told', () => {
    const failed = refundFailed('re_1', 899, day(2));
    const story = [
      sale('CheckoutCompleted', day(0), { pro_once: 1 }),
      refunded(1000, day(1)),
      dispute('created', 'needs_response', day(3), {}, { amount: 899 }),
      failed,
    ];
    const judged = (told: typeof story) =>
      oracleJudge({ subscriptions: [], purchases: [purchase(told)] }, storyCatalog(), at(day(9)));
    expect(judged(story).entitlement).toMatchObject({ plan: 'free', status: 'unpaid' });
    expect(judged([...story, failed])).toEqual(judged(story));
  });
});
