import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { DAWN } from '../../test/support/lives.facts.js';
import { life, shuffled } from '../../test/support/lives.js';
import type { CheckoutObservation, InvoiceObservation, Observation, PaymentObservation } from './facts.js';
import {
  eachOf,
  editedList,
  type GrowingList,
  growingList,
  hasEvent,
  keptThroughEdits,
  keptWith,
} from './growing-list.js';
import { foldInvoices } from './invoices.js';
import { judge } from './judge.js';
import { orderObservations } from './order.js';

interface Entry {
  readonly eventId: string;
  readonly n: number;
}

/** What is made of a list of entries in each way in which anything can be kept with it. */
class Made {
  /** The next value that is to be extended or revised is changed, and then something is thrown. */
  failsHalfWay = false;

  /** Extended and revised in place. */
  readonly #all = keptThroughEdits<Entry, Entry[]>(
    (list) => [...list],
    (value, added) => this.#changed(value, () => value.push(...added)),
    (value, { at, removed, added }) => this.#changed(value, () => value.splice(at, removed.length, ...added)),
  );

  /** Extended by the list itself; where a 7 comes between, it is not revised. */
  readonly #sum = keptThroughEdits<Entry, { readonly sum: number }>(
    (list) => ({ sum: sumOf(list) }),
    (_, __, list) => ({ sum: sumOf(list) }),
    ({ sum }, { removed, added }) =>
      added.some(({ n }) => n === 7) ? null : { sum: sum - sumOf(removed) + sumOf(added) },
  );

  /** Revised by the list itself. */
  readonly #revisedSum = keptThroughEdits<Entry, { readonly sum: number }>(
    (list) => ({ sum: sumOf(list) }),
    ({ sum }, added) => ({ sum: sum + sumOf(added) }),
    (_, __, list) => ({ sum: sumOf(list) }),
  );

  /** Never revised. */
  readonly #counts = keptWith<Entry, Map<number, number>>(
    (list) => counted(new Map(), list),
    (counts, added) => counted(counts, added),
  );

  readonly #each = eachOf(({ eventId, n }: Entry): Entry => ({ eventId: `of ${eventId}`, n: n + 1 }));
  readonly #some = eachOf((entry: Entry) => (entry.n === 3 ? null : entry));

  readonly ways: readonly ((list: readonly Entry[]) => unknown)[] = [
    (list) => this.#all(list).map(({ n }) => n),
    (list) => [this.#sum(list), this.#revisedSum(list)],
    (list) => [...this.#counts(list)].sort(([a], [b]) => a - b),
    (list) => this.#all(this.#each(list)).map(({ n }) => n),
    (list) => this.#sum(this.#some(this.#each(list))),
    (list) => list.every(({ eventId }) => hasEvent(list, eventId)) && !hasEvent(list, 'evt_none'),
  ];

  #changed(value: Entry[], change: () => void): Entry[] {
    change();
    if (!this.failsHalfWay) return value;
    this.failsHalfWay = false;
    throw new Error('half-way');
  }
}

function sumOf(list: readonly Entry[]): number {
  return list.reduce((sum, { n }) => sum + n, 0);
}

function counted(counts: Map<number, number>, list: readonly Entry[]): Map<number, number> {
  for (const { n } of list) counts.set(n, (counts.get(n) ?? 0) + 1);
  return counts;
}

const numbers = fc.array(fc.nat(9), { maxLength: 3 });
const waysAsked = fc.subarray([...new Made().ways.keys()], { minLength: 1 });
/** What becomes of a list: more is added to it or put in the place of some; it is asked for what it makes, as are those of before. */
const courses = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ does: fc.constant('add' as const), numbers }) },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('edit' as const), at: fc.nat(40), count: fc.nat(3), numbers }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        does: fc.constant('ask' as const),
        ways: waysAsked,
        back: fc.constantFrom(0, 0, 0, 1, 2),
        failsHalfWay: fc.constantFrom(false, false, false, true),
      }),
    },
  ),
  { minLength: 4, maxLength: 25 },
);

describe('What is made of a list that grows and is edited', () => {
  it('is what is made of its entries, whoever asks for it and when, and whatever its owner does with lists of its own', () => {
    fc.assert(
      fc.property(courses, (course) => {
        const made = new Made();
        let told = 0;
        const entriesOf = (all: readonly number[]): Entry[] =>
          all.map((n) => {
            told += 1;
            return { eventId: `evt_${told}`, n };
          });
        const begun = growingList(entriesOf(Array.from({ length: 36 }, (_, n) => n % 10)));
        const lists: GrowingList<Entry>[] = [begun];
        const check = (list: readonly Entry[], ways: readonly number[]): void => {
          for (const way of ways) expect(made.ways[way]?.(list)).toEqual(made.ways[way]?.([...list]));
        };
        for (const step of course) {
          const newest = lists.at(-1) ?? begun;
          if (step.does === 'add') newest.push(...entriesOf(step.numbers));
          else if (step.does === 'edit') {
            const added = entriesOf(step.numbers);
            lists.push(editedList(newest, Math.min(step.at, newest.length), step.count, added));
            added.unshift(...entriesOf([5]));
          } else {
            const list = lists.at(-1 - step.back) ?? newest;
            made.failsHalfWay = step.failsHalfWay;
            try {
              for (const way of step.ways) made.ways[way]?.(list);
            } catch (error) {
              expect(error).toEqual(new Error('half-way'));
            }
            made.failsHalfWay = false;
            check(list, step.ways);
          }
        }
        for (const list of lists.toReversed()) check(list, [...made.ways.keys()]);
      }),
      { numRuns: 20 * Number(process.env.EXTENSION_RUNS ?? '20') },
    );
  });

  it('is kept with no list that it came of but the last one', async () => {
    const [list, before] = editedTwentyTimes();
    await nextTurn(); // until then what a WeakRef was made of stays
    collectGarbage();
    expect(before.filter((each) => each.deref() !== undefined).length).toBeLessThanOrEqual(1);
    expect(list).toHaveLength(40);
  });
});

/** A list of forty, and all that it came of by twenty edits, one after the other. */
function editedTwentyTimes(): readonly [GrowingList<Entry>, readonly WeakRef<object>[]] {
  const before: WeakRef<object>[] = [];
  let list = growingList(Array.from({ length: 40 }, (_, n): Entry => ({ eventId: `evt_${n}`, n })));
  for (let nth = 0; nth < 20; nth += 1) {
    before.push(new WeakRef(list));
    list = editedList(list, nth, 1, [{ eventId: `evt_other_${nth}`, n: nth }]);
  }
  return [list, before];
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Enough of a past that what is made of it is kept: forty sights like the one given, each a second later. */
function pastOf(model: Observation | undefined): Observation[] {
  if (model === undefined) return [];
  const data = { ...model.data, status: 'active', previous: null };
  return Array.from({ length: 40 }, (_, n) => ({
    ...model,
    type: 'SubscriptionUpdated',
    stripeType: 'customer.subscription.updated',
    eventId: `past ${n}`,
    created: DAWN - 5_000 + n,
    data,
  }));
}

/** Eighty invoices like the one given, in no order of their ids. */
function paidBefore(model: InvoiceObservation | undefined): InvoiceObservation[] {
  if (model === undefined) return [];
  return Array.from({ length: 80 }, (_, n) => {
    const created = DAWN - 5_000 + n;
    const data = { ...model.data, invoice: `in_past_${(n * 7) % 80}`, created };
    return { ...model, eventId: `paid ${n}`, created, data };
  });
}

/** A sight that says the same as another in the same second. */
function twinOf(model: Observation): Observation {
  return { ...model, eventId: `${model.eventId} again` };
}

function orderOf(told: readonly Observation[]): readonly unknown[] {
  const { observations, tiedAt } = orderObservations(told);
  return [...observations, tiedAt];
}

describe('Facts that are kept in lists that grow', () => {
  it('are judged as the same facts from scratch, in whatever order and batches they come, and whatever was asked before', () => {
    const courses = fc.record({
      life: life(),
      seed: fc.nat(),
      // How many facts come before somebody asks, and for what: whose it is hangs on the order alone.
      batches: fc.array(
        fc.record({
          size: fc.integer({ min: 1, max: 6 }),
          asked: fc.constantFrom('order', 'judgement', 'judgement'),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      isLong: fc.boolean(),
      hasTwins: fc.boolean(),
    });
    fc.assert(
      fc.property(courses, ({ life: { facts, catalog, now }, seed, batches, isLong, hasTwins }) => {
        const told = shuffled(facts, seed).subscriptions.map((subscription) => {
          const { observations, invoices, checkouts, payments } = subscription;
          const told = [
            ...observations.map((fact) => ({ kind: 'observation' as const, fact })),
            ...(hasTwins ? observations.slice(0, 2).map(twinOf) : []).map((fact) => ({
              kind: 'observation' as const,
              fact,
            })),
            ...invoices.map((fact) => ({ kind: 'invoice' as const, fact })),
            ...checkouts.map((fact) => ({ kind: 'checkout' as const, fact })),
            ...payments.map((fact) => ({ kind: 'payment' as const, fact })),
          ];
          return told.map((each, nth) => ({ ...each, subscription, nth }));
        });
        const kept = facts.subscriptions.map((subscription) => ({
          ...subscription,
          observations: growingList<Observation>(isLong ? pastOf(subscription.observations[0]) : []),
          invoices: growingList<InvoiceObservation>(isLong ? paidBefore(subscription.invoices[0]) : []),
          checkouts: [] as CheckoutObservation[],
          payments: growingList<PaymentObservation>([]),
        }));
        // Fact by fact in turns: each subscription grows while the others do.
        const arrivals = told.flat().sort((a, b) => a.nth - b.nth);
        let [asks, waiting] = [0, 0];
        for (const [index, { kind, fact, subscription }] of arrivals.entries()) {
          const own = kept.find((each) => each.subscription === subscription.subscription);
          if (own === undefined) throw new Error('a subscription that is not there');
          if (kind === 'observation') {
            if (!hasEvent(own.observations, fact.eventId)) own.observations.push(fact);
          } else if (kind === 'invoice') {
            if (!hasEvent(own.invoices, fact.eventId)) own.invoices.push(fact);
          } else if (kind === 'payment') {
            if (!hasEvent(own.payments, fact.eventId)) own.payments.push(fact);
          } else own.checkouts = [...own.checkouts, fact];
          const isLast = index === arrivals.length - 1;
          const batch = batches[asks % batches.length];
          waiting += 1;
          if (!isLast && waiting < (batch?.size ?? 1)) continue;
          [asks, waiting] = [asks + 1, 0];
          for (const { observations, invoices } of kept) {
            expect(orderOf(observations)).toEqual(orderOf([...observations]));
            expect(foldInvoices(invoices)).toEqual(foldInvoices([...invoices]));
          }
          if (!isLast && batch?.asked === 'order') continue;
          const scratch = kept.map((each) => ({
            ...each,
            observations: [...each.observations],
            invoices: [...each.invoices],
            payments: [...each.payments],
          }));
          const instant = index % 2 === 0 ? now : now - 1_000;
          expect(judge({ subscriptions: kept }, catalog, instant)).toEqual(
            judge({ subscriptions: scratch }, catalog, instant),
          );
        }
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '40') },
    );
  });
});
