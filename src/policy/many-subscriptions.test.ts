import fc from 'fast-check';
import {
  DAWN,
  DAY,
  invoiceFact,
  item,
  line,
  observation,
  subscriptionState,
} from '../../test/support/lives.facts.js';
import { life } from '../../test/support/lives.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import { allowsTheSame } from './access-part.js';
import { combine } from './combine.js';
import { growingList } from './growing-list.js';
import { judge } from './judge.js';
import { changesFrom } from './over-time.js';
import { subscriptionAccessAt } from './subscription-access.js';
import { openSubscriptionState } from './subscription-state.js';

describe('A user with many subscriptions', () => {
  it('may do at each instant what is judged anew at that instant, with and without what is kept', () => {
    const lives = fc.array(life(), { minLength: 4, maxLength: 6 });
    fc.assert(
      fc.property(lives, (many) => {
        const [first] = many;
        if (first === undefined) throw new Error('no life');
        const { catalog, now } = first;
        const subscriptions = many.flatMap(({ facts }, n) =>
          facts.subscriptions.map((each) => ({ ...each, subscription: `${each.subscription}_${n}` })),
        );
        const kept = subscriptions.map((each) => ({
          ...each,
          observations: growingList([...each.observations]),
          invoices: growingList([...each.invoices]),
          payments: growingList([...each.payments]),
        }));
        const { entitlement, successors, adoptedPrices } = judge({ subscriptions }, catalog, now);
        const accesses = subscriptions
          .map((each) => openSubscriptionState(each, catalog))
          .flatMap((subscriptionState) =>
            subscriptionState === null ? [] : [subscriptionAccessAt(subscriptionState, now / 1000)],
          );
        expect(entitlement).toMatchObject(combine(accesses, catalog, []));
        for (const facts of [{ subscriptions: kept }, { subscriptions: [...kept].reverse() }]) {
          expect(judge(facts, catalog, now)).toEqual({ entitlement, successors, adoptedPrices });
        }
        let holds = entitlement;
        for (const { at, entitlement: next } of successors) {
          expect(judge({ subscriptions: kept }, catalog, at - 1).entitlement).toEqual(holds);
          expect(judge({ subscriptions: kept }, catalog, at).entitlement).toEqual(next);
          holds = next;
        }
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '20') },
    );
  });

  it('may do, as facts, time and catalogues come one after the other, what is judged anew of all of them', () => {
    const lives = fc.array(life(), { minLength: 5, maxLength: 7 });
    const steps = fc.array(
      fc.record({
        told: fc.nat(),
        pass: fc.constantFrom(0, 0, 0, 1, 3_600_000, 40 * 86_400_000, -40 * 86_400_000),
        becomes: fc.constantFrom('told', 'told', 'told', 'told', 'told', 'deleted', 'leaves', 'published'),
      }),
      { minLength: 1, maxLength: 25 },
    );
    fc.assert(
      fc.property(lives, steps, (many, course) => {
        const [first, second] = many;
        if (first === undefined || second === undefined) throw new Error('no life');
        const all = many.flatMap(({ facts }, n) =>
          facts.subscriptions.map((each) => ({ ...each, subscription: `${each.subscription}_${n}` })),
        );
        const waiting: (() => void)[] = [];
        // Of each all is known but the last fact of each kind.
        const user = {
          subscriptions: all.map((whole) => {
            const own = {
              ...whole,
              observations: growingList(whole.observations.slice(0, -1)),
              invoices: growingList(whole.invoices.slice(0, -1)),
              checkouts: whole.checkouts.slice(0, -1),
              payments: growingList(whole.payments.slice(0, -1)),
            };
            waiting.push(
              () => own.observations.push(...whole.observations.slice(own.observations.length)),
              () => own.invoices.push(...whole.invoices.slice(own.invoices.length)),
              () => own.payments.push(...whole.payments.slice(own.payments.length)),
              () => {
                own.checkouts = [...whole.checkouts];
              },
            );
            return own;
          }),
        };
        let { catalog, now } = first;
        for (const { told, pass, becomes } of course) {
          const [other] = user.subscriptions.slice(told % user.subscriptions.length);
          if (becomes === 'deleted' && other !== undefined) other.customerDeleted = !other.customerDeleted;
          else if (becomes === 'leaves')
            user.subscriptions = user.subscriptions.filter((each) => each !== other);
          else if (becomes === 'published') catalog = second.catalog;
          else waiting.splice(told % Math.max(1, waiting.length), 1)[0]?.();
          now += pass;
          const anew = user.subscriptions.map((each) => ({
            ...each,
            observations: [...each.observations],
            invoices: [...each.invoices],
            payments: [...each.payments],
          }));
          expect(judge(user, catalog, now)).toEqual(judge({ subscriptions: anew }, catalog, now));
        }
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '20') },
    );
  });

  it('has of far changes by time those that change access, and each as it is then', () => {
    const lives = fc.array(life(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lives, fc.integer({ min: 0, max: 2 }), (many, foreseen) => {
        const [first] = many;
        if (first === undefined) throw new Error('no life');
        const { catalog, now } = first;
        const subscriptionStates = many.flatMap(({ facts }, n) =>
          facts.subscriptions
            .map((each) => ({ ...each, subscription: `${each.subscription}_${n}` }))
            .map((each) => openSubscriptionState(each, catalog))
            .filter((subscriptionState) => subscriptionState !== null),
        );
        const all = changesFrom(subscriptionStates, catalog, now, Number.POSITIVE_INFINITY);
        const kept = all.filter(({ entitlement }, nth) => {
          const before = all[nth - 1]?.entitlement;
          return nth <= foreseen || before === undefined || !allowsTheSame(before, entitlement);
        });
        expect(changesFrom(subscriptionStates, catalog, now, foreseen)).toEqual(kept);
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '20') },
    );
  });

  it('has a far change of status foreseen where it is another subscription that says why there is nothing', () => {
    const plus = { prices: { monthly: 'plus_m' }, rank: 1, role: 'paid' };
    // What is below the default plan gives no status: why nothing is given does.
    const plans = { free: { rank: 5, role: 'free' }, plus };
    const catalog = planCatalogSchema.parse({ default: 'free', plans });
    const told = [
      { status: 'active', cancelAt: DAWN + DAY },
      { status: 'paused', cancelAt: null },
      { status: 'active', cancelAt: DAWN + 2 * DAY },
      { status: 'active', cancelAt: null },
    ];
    const subscriptionStates = told.flatMap((changes, n) => {
      const items = [item({ ...PRICE, price: 'plus_m' }, 1, DAWN, DAWN + DAY)];
      const state = subscriptionState(`sub_${n}`, { ...changes, items });
      const observations = [observation(`evt_${n}`, 'customer.subscription.created', DAWN + n, state)];
      const facts = { subscription: state.subscription, observations, invoices: [], checkouts: [] };
      return openSubscriptionState({ ...facts, payments: [], customerDeleted: false }, catalog) ?? [];
    });
    const moments = changesFrom(subscriptionStates, catalog, (DAWN + DAY) * 1000, 0);
    expect(moments.map(({ entitlement }) => entitlement.status)).toEqual(['paused', 'canceled']);
  });

  it('has a far change of plan foreseen where of two plans of one rank the other is paid for longer from then on', () => {
    const planOf = (price: string, role: string) => ({ prices: { monthly: price }, rank: 1, role });
    const plans = {
      free: { rank: 0, role: 'free' },
      plus: planOf('plus_m', 'paid'),
      team: planOf('team_m', 'team'),
    };
    const catalog = planCatalogSchema.parse({ default: 'free', plans });
    const unpaid = (price: string, ...paidFor: readonly (readonly [from: number, to: number])[]) => {
      const items = [item({ ...PRICE, price }, 1, DAWN, DAWN + DAY)];
      const state = subscriptionState(`sub_${price}`, { status: 'unpaid', items });
      const { subscription } = state;
      const observations = [observation('evt_seen', 'customer.subscription.created', DAWN, state)];
      const invoices = paidFor.map(([from, to], nth) => {
        const lines = [line(price, 1_000, DAWN + from * DAY, DAWN + to * DAY)];
        const data = { invoice: `in_${nth}`, subscription, status: 'paid' as const, created: DAWN, lines };
        return invoiceFact(`evt_${nth}`, 'invoice.paid', DAWN, data);
      });
      const facts = { subscription, observations, invoices, checkouts: [], payments: [] };
      return openSubscriptionState({ ...facts, customerDeleted: false }, catalog) ?? [];
    };
    const states = [unpaid('team_m', [0, 20]), unpaid('plus_m', [0, 10], [5, 30])].flat();
    const moments = changesFrom(states, catalog, (DAWN + DAY) * 1000, 0);
    expect(moments.map(({ at, entitlement: { plan } }) => [at / 1000 - DAWN, plan])).toEqual([
      [DAY, 'team'],
      [5 * DAY, 'plus'],
      [30 * DAY, 'free'],
    ]);
  });

  it('has sixteen changes foreseen where hundreds of trials end in turn, and the end of access at the last', () => {
    const plus = { prices: { monthly: 'plus_m' }, rank: 1, role: 'paid' };
    const plans = { free: { rank: 0, role: 'free' }, plus };
    const catalog = planCatalogSchema.parse({ default: 'free', plans, policy: { trialEndSlackHours: 0 } });
    const ends = Array.from({ length: 300 }, (_, n) => DAWN + DAY + n);
    const subscriptions = ends.map((trialEnd, n) => {
      const plusItem = item({ ...PRICE, price: 'plus_m' }, 1, DAWN, trialEnd);
      const state = subscriptionState(`sub_${n}`, { status: 'trialing', trialEnd, items: [plusItem] });
      const observations = [observation(`evt_${n}`, 'customer.subscription.created', DAWN, state)];
      return {
        subscription: state.subscription,
        observations,
        invoices: [],
        checkouts: [],
        payments: [],
        customerDeleted: false,
      };
    });
    // The trial that ends last gives the plan until then: what ends before it changes nothing.
    const whole = judge({ subscriptions }, catalog, DAWN * 1000);
    const lastEnd = (DAWN + DAY + 299) * 1000;
    expect(whole.entitlement).toMatchObject({ plan: 'plus', validUntil: new Date(lastEnd).toISOString() });
    expect(whole.successors.map(({ at }) => at)).toEqual([lastEnd]);

    // With one period end for all, each end of a trial moves the source on.
    const alike = subscriptions.map((each) => ({
      ...each,
      observations: each.observations.map((seen) => ({
        ...seen,
        data: { ...seen.data, items: [item({ ...PRICE, price: 'plus_m' }, 1, DAWN, DAWN + DAY)] },
      })),
    }));
    const { successors } = judge({ subscriptions: alike }, catalog, DAWN * 1000);
    expect(successors).toHaveLength(17);
    expect(successors.at(-1)).toMatchObject({ at: lastEnd, entitlement: { plan: 'free', validUntil: null } });
    const [, second] = successors;
    if (second === undefined) throw new Error('a second end of a trial is foreseen');
    const then = judge({ subscriptions: alike }, catalog, second.at);
    expect(then.entitlement).toEqual(second.entitlement);
    expect(then.successors).toHaveLength(17);
  });
});

const PRICE = {
  lookupKey: null,
  product: 'prod_plus',
  unitAmount: '1000',
  usageType: 'licensed' as const,
  billingScheme: 'per_unit' as const,
};
