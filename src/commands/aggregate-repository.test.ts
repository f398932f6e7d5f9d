import { randomUUID } from 'node:crypto';
import { openPostgresLog, type PostgresLog } from '../../test/contract/postgres-log.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import { type Fate, type UnreliableStore, unreliableStore } from '../../test/support/unreliable-store.js';
import {
  EventStoreUnavailableError,
  EventTooLargeError,
  OutcomeUnknownError,
} from '../event-store/errors.js';
import type { EventStore } from '../event-store/event-store.js';
import { parseEvent } from '../events/event-envelope.js';
import { verifyChain } from '../events/hash-chain.js';
import type { StoredEvent } from '../events/stored-event.js';
import type { KeyedOrigin } from './aggregate.js';
import { AggregateRepository, type AggregateRepositoryOptions } from './aggregate-repository.js';
import { ContentionError } from './errors.js';
import type { Repositories } from './repositories.js';
import {
  LinkSubscription,
  RecordSubscriptionEvent,
  type SubscriptionCommand,
  subscriptionAggregate,
  UnlinkSubscription,
} from './subscription.aggregate.js';

type SubscriptionRepository = Repositories['subscriptions'];

let log: PostgresLog;
let store: EventStore;
/** The subscription of the test, and its stream. */
let subscription: string;
let stream: string;
beforeAll(async () => {
  log = await openPostgresLog();
  store = log.store();
});
beforeEach(() => {
  subscription = `sub_${randomUUID()}`;
  stream = `tenure.subscription-${subscription}`;
});
afterAll(() => log.close());

/** A process of its own: it shares the log with the others, and no memory. */
function repository(
  on: EventStore = store,
  options?: Omit<AggregateRepositoryOptions, 'streamPrefix'>,
): SubscriptionRepository {
  return new AggregateRepository(on, subscriptionAggregate, { streamPrefix: 'tenure.', ...options });
}

/** A delivery of a Stripe event: as over HTTP, each is a request of its own. */
function from(eventId: string, eventType = 'customer.subscription.updated'): KeyedOrigin {
  const stripe = {
    eventId,
    eventType,
    created: 1_793_526_000,
    apiVersion: '2026-10-28.endive',
    livemode: false,
  };
  return { actor: 'stripe', correlationId: randomUUID(), causation: eventId, stripe };
}

/** Records a Stripe event on the stream of the test. */
function record(eventId: string): RecordSubscriptionEvent {
  return new RecordSubscriptionEvent(subscription, goldenEvent('SubscriptionUpdated'), from(eventId));
}

/** The same of a Stripe event that most likely is the first of its subscription. */
function recordFirst(eventId: string): RecordSubscriptionEvent {
  const origin = from(eventId, 'customer.subscription.created');
  return new RecordSubscriptionEvent(subscription, goldenEvent('SubscriptionUpdated'), origin);
}

const ops = { actor: 'ops', correlationId: 'r', causation: null, stripe: null };

/** The Stripe event ids on the stream of the test, in order; its hash chain must be whole. */
async function onStream(): Promise<(string | null)[]> {
  const events = await store.read(stream, 0);
  expect(verifyChain(events)).toBeNull();
  return events.map((stored: StoredEvent) => parseEvent(stored).metadata.stripeEventId);
}

const codesOf = (results: readonly PromiseSettledResult<{ outcome: string }>[]): string[] =>
  results.map((result) => (result.status === 'fulfilled' ? result.value.outcome : String(result.reason)));

describe('a command', () => {
  it('becomes one event that says where it comes from and when', async () => {
    const command = record('evt_1');
    const { origin } = command;
    const recorded = await repository(store, { now: () => 1_793_526_002_345 }).execute(command);
    const [event] = (await store.read(stream, 0)).map(parseEvent);
    expect(event).toMatchObject({
      ...goldenEvent('SubscriptionUpdated'),
      revision: 0,
      metadata: {
        stripeEventId: 'evt_1',
        stripeEventType: 'customer.subscription.updated',
        stripeCreated: 1_793_526_000,
        apiVersion: '2026-10-28.endive',
        livemode: false,
        correlationId: origin.correlationId,
        causationId: 'evt_1',
        actor: 'stripe',
        recordedAt: '2026-11-01T09:40:02.345Z',
        schemaVersion: 1,
      },
    });
    expect(recorded).toEqual({
      outcome: 'applied',
      event: 'SubscriptionUpdated',
      position: event?.position,
    });
  });

  it('repeated is a duplicate, for which the store is not asked', async () => {
    const line = unreliableStore(store);
    const one = repository(line);
    const first = await one.execute(record('evt_1'));
    const asked = { sent: line.sent.length, reads: line.reads };
    expect(await one.execute(record('evt_1'))).toEqual({ outcome: 'duplicate', position: first.position });
    expect({ sent: line.sent.length, reads: line.reads }).toEqual(asked);
  });

  it('that most likely starts its stream is tried without a read', async () => {
    const line = unreliableStore(store);
    await repository(line).execute(recordFirst('evt_1'));
    expect(line).toMatchObject({ reads: 0, sent: [{ expected: 'no_stream' }] });
  });

  it('for a stream that others wrote is decided without a read of its events, and then as by who wrote them', async () => {
    const other = repository();
    for (const eventId of ['evt_1', 'evt_2', 'evt_3']) await other.execute(record(eventId));
    const line = unreliableStore(store);
    const one = repository(line);
    expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'duplicate' });
    expect(one.newestSecond(stream)).toEqual(other.newestSecond(stream));
    expect(await one.execute(record('evt_4'))).toMatchObject({ outcome: 'applied' });
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(one.newestSecond(stream)).toEqual({ second: 1_793_526_000, events: 4 });
    expect(line).toMatchObject({ reads: 0, sent: [{ expected: 2 }] });
    expect(await onStream()).toEqual(['evt_1', 'evt_2', 'evt_3', 'evt_4']);
  });

  it('for a stream that somebody linked is decided from its events', async () => {
    await repository().execute(record('evt_1'));
    await repository().execute(new LinkSubscription(subscription, 'u1', null, ops));
    expect(await repository().stateOf(stream)).toMatchObject({ link: 'u1' });
    const again = new LinkSubscription(subscription, 'u1', null, ops);
    expect(await repository().execute(again)).toMatchObject({ outcome: 'duplicate' });
  });

  it('that was known before a repository was made is a duplicate, also where the stream seemed new', async () => {
    await repository().execute(record('evt_1'));
    for (const command of [recordFirst('evt_1'), record('evt_1')]) {
      expect(await repository().execute(command)).toMatchObject({ outcome: 'duplicate' });
    }
    expect(await onStream()).toEqual(['evt_1']);
  });

  it('that another repository executed is a duplicate, however old one’s memory is', async () => {
    const [stale, other] = [repository(), repository()];
    await stale.execute(record('evt_1'));
    await other.execute(record('evt_2'));
    const last = await other.execute(record('evt_3'));
    expect(await stale.execute(record('evt_2'))).toEqual({ outcome: 'duplicate', position: last.position });
    expect(await onStream()).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  const link = (userId: string) => () => new LinkSubscription(subscription, userId, null, ops);
  const unlink = () => new UnlinkSubscription(subscription, null, ops);
  it.each<[string, () => SubscriptionCommand, () => SubscriptionCommand]>([
    ['a link that another repository replaced', link('u1'), link('u2')],
    ['a link that another repository took back', link('u1'), unlink],
  ])('is executed though it was once, being %s meanwhile', async (_, again, meanwhile) => {
    const [stale, other] = [repository(), repository()];
    const execute = (one: SubscriptionRepository, command: () => SubscriptionCommand) =>
      one.execute(command());
    await execute(stale, again);
    await execute(other, meanwhile);
    expect(await execute(stale, again)).toMatchObject({ outcome: 'applied' });
    expect(await other.stateOf(stream)).toMatchObject({ link: 'u1' });
    expect(await execute(stale, again)).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toHaveLength(3);
  });

  it('is a duplicate after its stream was forgotten for others', async () => {
    const small = repository(store, { bytesInMemory: 1_000 });
    await small.execute(record('evt_1'));
    const event = goldenEvent('SubscriptionUpdated');
    await small.execute(new RecordSubscriptionEvent(`${subscription}-other`, event, from('evt_1')));
    expect(await small.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await small.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toEqual(['evt_1', 'evt_2']);
  });

  it.each([
    ['that nobody wrote to', [], record],
    ['that nobody wrote to, and each believes so', [], recordFirst],
    ['that all know', ['evt_0'], record],
  ])(
    'sent 32 times at once through two repositories to a stream %s is one event',
    async (_, before, command) => {
      const repositories = [repository(log.store()), repository(log.store())];
      for (const eventId of before) for (const one of repositories) await one.execute(record(eventId));
      const all = Array.from({ length: 32 }, (_, nth) => repositories[nth % 2]?.execute(command('evt_1')));
      const outcomes = (await Promise.all(all)).map((recorded) => recorded?.outcome);
      expect(outcomes.sort()).toEqual(['applied', ...Array.from({ length: 31 }, () => 'duplicate')]);
      expect(await onStream()).toEqual([...before, 'evt_1']);
    },
  );
});

describe('commands for one stream', () => {
  it('are executed in the order they were sent', async () => {
    const ids = Array.from({ length: 20 }, (_, nth) => `evt_${nth}`);
    const one = repository();
    await Promise.all(ids.map((eventId) => one.execute(record(eventId))));
    expect(await onStream()).toEqual(ids);
  });

  it('go on after one that failed', async () => {
    const line = unreliableStore(store, (nth) => {
      if (nth === 0) throw new EventStoreUnavailableError('away');
      return 'passes';
    });
    const one = repository(line);
    const all = await Promise.allSettled(['evt_1', 'evt_2', 'evt_1'].map((id) => one.execute(record(id))));
    expect(codesOf(all)).toEqual(['EventStoreUnavailableError: away', 'applied', 'applied']);
    expect(await onStream()).toEqual(['evt_2', 'evt_1']);
  });
});

describe('an append whose outcome is unknown', () => {
  it.each(['lands unanswered', 'is lost'] as const)(
    'is sent again byte for byte when it %s, and counts once',
    async (fate) => {
      await repository().execute(record('evt_0'));
      const line = unreliableStore(store, (nth) => (nth < 2 ? fate : 'passes'));
      const one = repository(line);
      const recorded = await one.execute(record('evt_1'));
      const [first, ...repeats] = line.sent;
      expect(first).toMatchObject({ stream, expected: 0 });
      expect(repeats).toEqual([first, first]);
      expect(recorded).toMatchObject({
        outcome: 'applied',
        position: (await store.read(stream, 1))[0]?.position,
      });
      expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });
      expect(await onStream()).toEqual(['evt_0', 'evt_1', 'evt_2']);
    },
  );

  it('is found where it landed, also when others wrote after it', async () => {
    const line = unreliableStore(store, async (nth) => {
      if (nth === 0) return 'lands unanswered';
      if (nth === 1) await repository().execute(record('evt_2'));
      return 'passes';
    });
    const one = repository(line);
    expect(await one.execute(recordFirst('evt_1'))).toMatchObject({
      outcome: 'applied',
    });
    expect(line.sent[1]).toEqual(line.sent[0]);
    expect(await one.execute(record('evt_3'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  it('is decided anew only when its place was taken by another', async () => {
    const line = unreliableStore(store, async (nth) => {
      if (nth === 0) return 'is lost';
      if (nth === 1) await repository().execute(record('evt_other'));
      return 'passes';
    });
    const recorded = await repository(line).execute(recordFirst('evt_1'));
    expect(recorded.outcome).toBe('applied');
    const [first, repeat, decidedAnew] = line.sent;
    expect(line.sent).toHaveLength(3);
    expect(repeat).toEqual(first);
    expect(decidedAnew).toMatchObject({ expected: 0 });
    expect(decidedAnew?.events[0]?.id).not.toBe(first?.events[0]?.id);
    expect(await onStream()).toEqual(['evt_other', 'evt_1']);
  });

  it('is a duplicate when its place was taken by the same Stripe event', async () => {
    const line = unreliableStore(store, async (nth) => {
      if (nth === 0) return 'is lost';
      await repository().execute(record('evt_1'));
      return 'passes';
    });
    expect(await repository(line).execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toEqual(['evt_1']);
  });

  it('is given up after five times, and nothing is believed of the stream then', async () => {
    const line = unreliableStore(store, (nth) =>
      nth === 0 ? 'lands unanswered' : nth < 5 ? 'is lost' : 'passes',
    );
    const one = repository(line);
    await expect(one.execute(record('evt_1'))).rejects.toThrow(OutcomeUnknownError);
    expect(line.sent).toHaveLength(5);
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toEqual(['evt_1']);
  });

  it.each([
    ['is away', new EventStoreUnavailableError('away')],
    ['refuses it', new EventTooLargeError('too large')],
  ])('is never one that is answered: when the store %s, it is not sent again', async (_, fault) => {
    const line = unreliableStore(store, () => {
      throw fault;
    });
    await expect(repository(line).execute(record('evt_1'))).rejects.toBe(fault);
    expect(line.sent).toHaveLength(1);
  });
});

describe('a stream that changes while one decides', () => {
  /** Another repository that gets in before each of the first `times` appends. */
  function racing(times: number): UnreliableStore {
    const other = repository();
    return unreliableStore(store, async (nth): Promise<Fate> => {
      if (nth < times) await other.execute(record(`evt_other${nth}`));
      return 'passes';
    });
  }

  it('is decided on anew each time, at its new end', async () => {
    const line = racing(7);
    expect(await repository(line).execute(record('evt_1'))).toMatchObject({ outcome: 'applied' });
    expect(line.sent.map(({ expected }) => expected)).toEqual(['no_stream', 0, 1, 2, 3, 4, 5, 6]);
    const others = Array.from({ length: 7 }, (_, nth) => `evt_other${nth}`);
    expect(await onStream()).toEqual([...others, 'evt_1']);
  });

  it('is left after eight times, with nothing written, and may be tried again', async () => {
    const line = racing(8);
    const one = repository(line);
    await expect(one.execute(record('evt_1'))).rejects.toThrow(ContentionError);
    expect(line.sent).toHaveLength(8);
    expect(await onStream()).not.toContain('evt_1');
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toContain('evt_1');
  });

  it('is read to its end when its state is asked for', async () => {
    const [one, other] = [repository(), repository()];
    await one.execute(record('evt_1'));
    await other.execute(record('evt_2'));
    const { seen, link } = await one.stateOf(stream);
    expect({ link, seen: ['evt_1', 'evt_2', 'evt_3'].map((key) => seen.has(key)) }).toEqual({
      link: null,
      seen: [true, true, false],
    });
    expect(await one.stateOf(`${stream}-of-nobody`)).toMatchObject({ seen: { size: 0 }, link: null });
  });

  it('keeps in memory what a command left there while its state was read: the next one meets no conflict', async () => {
    const line = unreliableStore(store);
    await repository().execute(record('evt_1'));
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isHeld = true;
    const readKeys: EventStore['readKeys'] = async (...asked) => {
      const answer = await store.readKeys(...asked);
      if (isHeld) {
        isHeld = false;
        await held;
      }
      return answer;
    };
    const one = repository({ ...line, readKeys });
    const state = one.stateOf(stream);
    expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });
    goOn();
    expect((await state).seen.has('evt_2')).toBe(false);
    expect(await one.execute(record('evt_3'))).toMatchObject({ outcome: 'applied' });
    expect(line.sent.map(({ expected }) => expected)).toEqual([0, 1]);
  });

  it('leaves the process to others while it is long and read for the first time', async () => {
    await repository().execute(record('evt_1'));
    const [first] = await store.read(stream, 0);
    if (first === undefined) throw new Error('nothing was recorded');
    const events = Array.from({ length: 3_000 }, (_, revision) => ({
      ...first,
      revision,
      metadata: first.metadata.replaceAll('evt_1', `evt_${revision}`),
    }));
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const most: number[] = [];
    const readPage: EventStore['readPage'] = async (_, from, limit) => {
      most.push(limit);
      return events.slice(from, from + limit);
    };
    const readKeys: EventStore['readKeys'] = async () => 'not_by_keys';
    const one = repository({ ...unreliableStore(store), readKeys, readPage });
    const { size } = (await one.stateOf(stream)).seen;
    clearImmediate(next);
    expect(turns).toBeGreaterThan(2);
    expect(size).toBe(3_000);
    expect(Math.max(...most)).toBeLessThan(1_000);
  });
});

describe('two repositories with many commands for one stream, some of them the same', () => {
  /** As Stripe does: sends again what was refused for contention. */
  async function insist(one: SubscriptionRepository, eventId: string): Promise<string> {
    for (;;) {
      try {
        return (await one.execute(record(eventId))).outcome;
      } catch (error) {
        if (!(error instanceof ContentionError)) throw error;
      }
    }
  }

  it('lose and double nothing', async () => {
    const ids = Array.from({ length: 48 }, (_, nth) => `evt_${nth}`);
    const shares = [ids.slice(0, 32), ids.slice(16)];
    const outcomes = await Promise.all(
      shares.flatMap((share) => {
        const one = repository(log.store());
        return share.map((eventId) => insist(one, eventId));
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(48);
    expect((await onStream()).sort()).toEqual(ids.sort());
  });
});

describe('a repository whose log lost what it has in memory', () => {
  it('decides from the log again, told so or found out by a conflict', async () => {
    const one = repository();
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'applied' });
    expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });
    await lose(stream, 1);
    expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'duplicate' }); // from memory: the trap
    one.forget();
    expect(await one.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });

    await lose(stream, 1);
    expect(await one.execute(record('evt_3'))).toMatchObject({ outcome: 'applied' });
    const stored = await store.read(stream, 0);
    expect(stored.map(({ metadata }) => JSON.parse(metadata).causationId)).toEqual(['evt_1', 'evt_3']);
    expect(verifyChain(stored)).toBeNull();
  });

  it('refuses every command while nothing may be written, also one that would add nothing', async () => {
    let away = false;
    const one = repository(store, {
      mayWrite: () => (away ? Promise.reject(new EventStoreUnavailableError('not now')) : undefined),
    });
    await one.execute(record('evt_1'));
    away = true;
    for (const id of ['evt_1', 'evt_2']) await expect(one.execute(record(id))).rejects.toThrow('not now');
    away = false;
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
  });

  /** Has the log forget a stream from a revision on, as one that was restored from an older backup. */
  async function lose(name: string, from: number): Promise<void> {
    const triggers = (state: string) =>
      `alter table tenure_log.event ${state} trigger refuse_change;
       alter table tenure_log.stream_head ${state} trigger refuse_change;`;
    await log.database.pool.query(triggers('disable'));
    await log.database.pool.query('delete from tenure_log.event where stream = $1 and revision >= $2', [
      name,
      from,
    ]);
    await log.database.pool.query(
      'update tenure_log.stream_head set previous = -1, revision = $2 where stream = $1',
      [name, from - 1],
    );
    await log.database.pool.query(triggers('enable always'));
  }
});
