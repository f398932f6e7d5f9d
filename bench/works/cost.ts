import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { RecordSubscriptionEvent, subscriptionAggregate } from '../../src/commands/subscription.aggregate.js';
import { openDatabase } from '../../src/database/database.js';
import { eventStoreMigrations } from '../../src/event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../../src/event-store/postgres/pg-session.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import type { EventEnvelope } from '../../src/events/event-envelope.js';
import { GENESIS_HASH, type SealedEvent, sealEvent } from '../../src/events/hash-chain.js';
import { type EventCost, FoldUnderTest } from '../cost/fold.js';
import { type Holder, LongLife, newHolder } from '../cost/long-lives.js';
import { median, type Note, type Row, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';

/** What is measured: lives that go on, each after something made it long. */
interface Case {
  readonly what: string;
  /** Leaves a long life behind and tells the events that are measured. */
  readonly events: (fold: FoldUnderTest) => Promise<readonly EventEnvelope[]>;
}

/** An event more may cost three times what it costs a new user. */
const LEAST = 0.33;
const SAMPLES = 15;

const CASES: readonly Case[] = [
  ...[10, 1_000, 6_000].map((count) => ({
    what: `a subscription of ${count} events`,
    events: async (fold: FoldUnderTest) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), ...life.goesOn(count)]);
      return life.goesOn(SAMPLES);
    },
  })),
  {
    what: 'a customer with 3000 subscriptions',
    events: async (fold) => {
      const customer = newHolder().customer;
      const lives = many(3_000, (holder) => ({ ...holder, customer }));
      await fold.feed(lives.map((life) => life.begins()));
      return lives[7]?.goesOn(SAMPLES) ?? [];
    },
  },
  {
    what: 'a user with 600 trials',
    events: async (fold) => {
      const { userId } = newHolder();
      const lives = many(600, (holder) => ({ ...holder, userId }));
      await fold.feed(lives.map((life) => life.begins('trialing')));
      return lives[7]?.goesOn(SAMPLES) ?? [];
    },
  },
  {
    what: 'a user with 600 subscriptions past due',
    events: async (fold) => {
      const { userId } = newHolder();
      const lives = many(600, (holder) => ({ ...holder, userId }));
      await fold.feed(lives.map((life) => life.begins()));
      await fold.feed(lives.flatMap((life) => life.fallsDue(3)));
      return Array.from({ length: SAMPLES }, () => lives[7]?.staysDue()).filter(
        (event) => event !== undefined,
      );
    },
  },
  {
    what: 'a subscription of 6000 events, past due',
    events: async (fold) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), ...life.goesOn(6_000), life.isOverdue()]);
      return Array.from({ length: SAMPLES }, () => life.staysDue());
    },
  },
  {
    what: 'a subscription of 6000 events, told late',
    events: async (fold) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), ...life.goesOn(6_000)]);
      return Array.from({ length: SAMPLES }, () => life.late());
    },
  },
  ...(['buys once more', 'goes on'] as const).map((then) => ({
    what: `a customer with 3000 checkouts that ${then}`,
    events: async (fold: FoldUnderTest) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), ...Array.from({ length: 3_000 }, () => life.buysOnce())]);
      return then === 'goes on'
        ? life.goesOn(SAMPLES)
        : Array.from({ length: SAMPLES }, () => life.buysOnce());
    },
  })),
  ...[5, 9, 12, 14, 20, 30].flatMap((count) =>
    (['metadata', 'toggled'] as const).map((kind) => ({
      what: `a second of ${count} events (${kind})`,
      events: async (fold: FoldUnderTest) => {
        const life = new LongLife(newHolder());
        await fold.feed([life.begins(), ...life.goesOn(3), ...life.second(count, kind)]);
        return life.goesOn(SAMPLES);
      },
    })),
  ),
  ...[800, 1_600].map((count) => ({
    what: `${count} items replaced by as many`,
    events: async (fold: FoldUnderTest) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), life.replacesItems(count)]);
      return life.goesOn(SAMPLES);
    },
  })),
  {
    what: 'past due, 3600 lines paid',
    events: async (fold) => {
      const life = new LongLife(newHolder());
      await fold.feed([life.begins(), ...life.fallsDue(3_600)]);
      return Array.from({ length: SAMPLES }, () => life.staysDue());
    },
  },
];

/**
 * What one more event costs in a long life, beside one of a new user (DESIGN 12 "Cost is bounded", 15). Needs no service:
 * the projection of this code is fed by hand, and a command meets a long stream.
 */
export async function benchCost(context: Pick<BenchContext, 'database' | 'say'>): Promise<WorkReport> {
  const { database, say } = context;
  const rows: Row[] = [];
  const notes: Note[] = [];
  const chosen = new RegExp(process.env.COST_CASES ?? '');
  for (const [index, { what, events }] of CASES.entries()) {
    if (!chosen.test(what)) continue;
    // A database of its own: the clock of a projection is that of the newest event in it.
    const fold = await FoldUnderTest.open(await database.create(`cost_${index}`));
    try {
      await newUsers(fold);
      const began = performance.now();
      const measured = await events(fold);
      const filled = performance.now() - began;
      const [floor, cost] = [await newUsers(fold), middle(await fold.costs(measured))];
      const [ours, theirs] = [cost.fold + cost.write, floor.fold + floor.write];
      const value = `${text(cost)}, of a new user ${text(floor)}; all before it ${(filled / 1000).toFixed(1)} s`;
      say(`${what}: ${value}`);
      notes.push({ what: `one more event of ${what} (fold + write)`, value });
      rows.push({
        work: `one more event of ${what}`,
        ours: ours * 1000,
        against: 'of a new user',
        theirs: theirs * 1000,
        unit: 'µs',
        ratio: theirs / ours,
        least: LEAST,
        aim: null,
      });
    } finally {
      await fold.close();
    }
  }
  notes.push(...(await firstCommand(await database.create('cost_log'), 16_000)));
  for (const { what, value } of notes.slice(-2)) say(`${what}: ${value}`);
  return { rows, notes };
}

function many(count: number, of: (holder: Holder) => Holder): readonly LongLife[] {
  return Array.from({ length: count }, () => new LongLife(of(newHolder())));
}

/** The middle cost of the second to fourth event of users who have just come. */
async function newUsers(fold: FoldUnderTest): Promise<EventCost> {
  const costs: EventCost[] = [];
  for (const life of many(SAMPLES, (holder) => holder)) {
    await fold.feed([life.begins()]);
    costs.push(...(await fold.costs(life.goesOn(3))));
  }
  return middle(costs);
}

/** How long the first command on a stream of `length` events takes, and how long it keeps the process to itself. */
async function firstCommand(url: string, length: number): Promise<readonly Note[]> {
  const { pool, close } = await openDatabase({
    url,
    migrations: eventStoreMigrations,
    entities: [],
    poolConfig: eventStorePoolConfig,
    onIdleFault: (fault) => console.error(fault),
  });
  const store = new PostgresEventStore(pool, { session: { connectionString: url }, onFault: console.error });
  const stream = 'tenure.subscription-sub_long';
  const life = new LongLife({ ...newHolder(), subscription: 'sub_long' });
  const before = life.goesOn(length);
  const [next] = life.goesOn(1);
  if (next === undefined) throw new Error('no event');
  const sealed: SealedEvent[] = [];
  for (const { stream: _, revision, position, id, metadata, ...event } of before) {
    const { prevHash, hash, ...metadataWithoutHashes } = metadata;
    sealed.push(
      sealEvent({
        ...event,
        stream,
        revision: sealed.length,
        prevHash: sealed.at(-1)?.hash ?? GENESIS_HASH,
        metadataWithoutHashes,
        idKey: metadata.causationId ?? '',
      }),
    );
  }
  for (let done = 0; done < sealed.length; done += 500) {
    await store.append(stream, done === 0 ? 'no_stream' : done - 1, sealed.slice(done, done + 500));
  }
  const repository = new AggregateRepository(store, subscriptionAggregate, { streamPrefix: 'tenure.' });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const { stream: _, revision, position, id, metadata, ...event } = next;
  const origin = { actor: 'stripe', correlationId: 'bench', causation: 'evt_first', stripe: null };
  await repository.execute(new RecordSubscriptionEvent('sub_long', event, origin));
  const took = performance.now() - began;
  delay.disable();
  await store.close();
  await close();
  return [
    { what: `first command on a stream of ${length} events`, value: `${took.toFixed(0)} ms` },
    { what: 'longest pause of the process meanwhile', value: `${(delay.max / 1e6).toFixed(0)} ms` },
  ];
}

function middle(costs: readonly EventCost[]): EventCost {
  return { fold: median(costs.map(({ fold }) => fold)), write: median(costs.map(({ write }) => write)) };
}

function text({ fold, write }: EventCost): string {
  return `${fold.toFixed(2)} ms + ${write.toFixed(2)} ms`;
}
