import { SimulatedClock } from '../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription, type StripeEvent } from '../../demo/stripe/simulated-subscription.js';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import type { Repositories } from '../../src/commands/repositories.js';
import { RecordSubscriptionEvent, subscriptionAggregate } from '../../src/commands/subscription.aggregate.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { translated } from './translated.js';

type Happening = (sub: SimulatedSubscription) => StripeEvent;

/** How a life ends: what its user has when all of it is told. */
export type LifeKind = 'plus' | 'canceled' | 'pro' | 'late';

/** Someone with one subscription. */
export interface RecordedLife {
  readonly userId: string;
  readonly kind: LifeKind;
  readonly subscription: SimulatedSubscription;
}

/** Prices of the plans plus and pro, as a catalogue names them. */
export interface LifePrices {
  readonly plus: string;
  readonly pro: string;
}

/** How lives are written into a log. */
export interface RecordedAs {
  /** How many of the first events of each life. */
  readonly events: number;
  /** A body as Stripe sent it, with what stands for user ids in the log. */
  readonly inwards: (body: unknown) => unknown;
}

const KINDS: readonly LifeKind[] = ['plus', 'canceled', 'pro', 'late'];
/** Events of a life. */
export const EVENTS_OF_A_LIFE = 10;
const WHOLE_WITH_USER_IDS: RecordedAs = { events: EVENTS_OF_A_LIFE, inwards: (body) => body };
const BEGAN_AGO = 6 * 3_600;
const BETWEEN_EVENTS = 60;
/** Appends under way at a time; each stream has one. */
const LANES = 128;

const purchase: readonly Happening[] = [
  (sub) => sub.started('incomplete'),
  (sub) => sub.becomes('active'),
  (sub) => sub.pays('subscription_create'),
];
const renewal: readonly Happening[] = [(sub) => sub.renews(), (sub) => sub.pays('subscription_cycle')];
const lapse: readonly Happening[] = [(sub) => sub.becomes('past_due')];
const recovery: readonly Happening[] = [(sub) => sub.becomes('active')];
const notes = (count: number): readonly Happening[] =>
  Array.from({ length: count }, (_, n) => (sub: SimulatedSubscription) => sub.isNoted(`note ${n}`));

function courses(prices: LifePrices): Readonly<Record<LifeKind, readonly Happening[]>> {
  const pro = { id: prices.pro, product: 'prod_pro', name: 'Pro', unitAmount: 2_900 };
  const upgrade: readonly Happening[] = [
    (sub) => sub.switchesTo(pro),
    (sub) => sub.pays('subscription_update'),
  ];
  return {
    plus: [...purchase, ...renewal, ...lapse, ...recovery, ...notes(3)],
    canceled: [...purchase, ...lapse, ...recovery, ...renewal, ...notes(2), (sub) => sub.ends()],
    pro: [...purchase, ...renewal, ...upgrade, ...notes(3)],
    late: [...purchase, ...notes(4), ...renewal, ...lapse],
  };
}

/** Lives of many users that are written into a log, as signed webhooks would have, and can go on by webhooks. */
export class RecordedLives {
  readonly #clock = new SimulatedClock(Math.floor(Date.now() / 1000) - BEGAN_AGO);
  readonly #courses: ReturnType<typeof courses>;
  readonly all: readonly RecordedLife[];

  /** @param tag part of every id, letters and digits: lives of different tags share nothing */
  constructor(tag: string, users: number, prices: LifePrices) {
    this.#courses = courses(prices);
    const price = { id: prices.plus, product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
    this.all = Array.from({ length: users }, (_, n): RecordedLife => {
      const userId = `${tag}${n}`;
      const subscription = new SimulatedSubscription(this.#clock, { name: `${tag}${n}x`, userId, price });
      return { userId, kind: KINDS[n % KINDS.length] ?? 'plus', subscription };
    });
  }

  /**
   * Appends the first events of each life through the port, sealed, the first of all lives, then the second of all: so
   * neighbours in the log are about different users. Returns the position after which there is none of them.
   */
  async record(
    store: EventStore,
    streamPrefix: string,
    { events, inwards }: RecordedAs = WHOLE_WITH_USER_IDS,
  ): Promise<string> {
    const now = (): number => this.#clock.now * 1000;
    const repository = new AggregateRepository(store, subscriptionAggregate, {
      streamPrefix,
      now,
      bytesInMemory: Number.MAX_SAFE_INTEGER,
    });
    let last = 0n;
    for (let step = 0; step < events; step += 1) {
      const lives = this.all.values();
      const lane = async (): Promise<void> => {
        for (const life of lives) {
          const body = await inwards(JSON.parse(this.#happens(life, step).body));
          const position = BigInt(await tell(repository, life, body));
          if (position > last) last = position;
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      this.#clock.pass(BETWEEN_EVENTS);
    }
    return String(last);
  }

  /** From now on events happen at the time of this machine. */
  comeToNow(): void {
    const behind = Math.floor(Date.now() / 1000) - this.#clock.now;
    if (behind > 0) this.#clock.pass(behind);
  }

  #happens({ kind, subscription }: RecordedLife, step: number): StripeEvent {
    const happens = this.#courses[kind][step];
    if (happens === undefined) throw new RangeError(`a life has ${EVENTS_OF_A_LIFE} events`);
    return happens(subscription);
  }
}

async function tell(
  repository: Pick<Repositories['subscriptions'], 'execute'>,
  { subscription }: RecordedLife,
  body: unknown,
): Promise<string> {
  const told = translated(body);
  if (told.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(told)}`);
  const { event, stripe } = told;
  const origin = { actor: 'stripe', correlationId: 'recorded', causation: stripe.eventId, stripe };
  const { position } = await repository.execute(new RecordSubscriptionEvent(subscription.id, event, origin));
  if (position === null) throw new Error('an event without a position');
  return position;
}
