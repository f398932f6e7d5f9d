import { randomUUID } from 'node:crypto';
import { openPostgresLog, type PostgresLog } from '../../test/contract/postgres-log.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import { type Fate, type TroubledStore, troubledStore } from '../../test/support/troubled-store.js';
import {
  EventStoreUnavailableError,
  EventTooLargeError,
  OutcomeUnknownError,
} from '../event-store/errors.js';
import type { EventStore } from '../event-store/event-store.js';
import { parseEvent } from '../events/event-envelope.js';
import { verifyChain } from '../events/hash-chain.js';
import type { StoredEvent } from '../events/stored-event.js';
import {
  type AggregateRepositoryOptions,
  ContentionError,
  type StreamCommand,
} from './aggregate-repository.js';
import type { Origin } from './decider.js';
import { SubscriptionRepository } from './repositories.js';
import type { SubscriptionCommand } from './subscription.decider.js';

let log: PostgresLog;
let store: EventStore;
let stream: string;
beforeAll(async () => {
  log = await openPostgresLog();
  store = log.store();
});
beforeEach(() => {
  stream = `tenure.subscription-${randomUUID()}`;
});
afterAll(() => log.close());

function writer(on: EventStore = store, options?: AggregateRepositoryOptions): SubscriptionRepository {
  return new SubscriptionRepository(on, 'tenure.', options);
}

/** A delivery of a Stripe event: as over HTTP, each is a request of its own. */
function from(eventId: string): Origin & { readonly causation: string } {
  const stripe = {
    eventId,
    eventType: 'customer.subscription.updated',
    created: 1_793_526_000,
    apiVersion: '2026-10-28.endive',
    livemode: false,
  };
  return { actor: 'stripe', correlationId: randomUUID(), causation: eventId, stripe };
}

/** Records a Stripe event on the stream of the test. */
function record(
  eventId: string,
  more: Partial<StreamCommand<SubscriptionCommand>> = {},
): StreamCommand<SubscriptionCommand> {
  const command = { kind: 'record', causation: eventId, event: goldenEvent('SubscriptionUpdated') } as const;
  return { stream, command, origin: from(eventId), expectsNewStream: false, ...more };
}

const link = (userId: string): SubscriptionCommand => ({
  kind: 'link',
  causation: null,
  subscription: 'sub_1',
  userId,
  reason: null,
});
const unlink: SubscriptionCommand = { kind: 'unlink', causation: null, subscription: 'sub_1', reason: null };

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
    const origin = from('evt_1');
    const recorded = await writer(store, { now: () => 1_793_526_002_345 }).execute(
      record('evt_1', { origin }),
    );
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
    const line = troubledStore(store);
    const one = writer(line);
    const first = await one.execute(record('evt_1'));
    const asked = { sent: line.sent.length, reads: line.reads };
    expect(await one.execute(record('evt_1'))).toEqual({ outcome: 'duplicate', position: first.position });
    expect({ sent: line.sent.length, reads: line.reads }).toEqual(asked);
  });

  it('that most likely starts its stream is tried without a read', async () => {
    const line = troubledStore(store);
    await writer(line).execute(record('evt_1', { expectsNewStream: true }));
    expect(line).toMatchObject({ reads: 0, sent: [{ expected: 'no_stream' }] });
  });

  it('that was known before a writer began is a duplicate, also where the stream seemed new', async () => {
    await writer().execute(record('evt_1'));
    for (const starts of [true, false]) {
      expect(await writer().execute(record('evt_1', { expectsNewStream: starts }))).toMatchObject({
        outcome: 'duplicate',
      });
    }
    expect(await onStream()).toEqual(['evt_1']);
  });

  it('that another writer executed is a duplicate, however old one’s memory is', async () => {
    const [stale, other] = [writer(), writer()];
    await stale.execute(record('evt_1'));
    await other.execute(record('evt_2'));
    const last = await other.execute(record('evt_3'));
    expect(await stale.execute(record('evt_2'))).toEqual({ outcome: 'duplicate', position: last.position });
    expect(await onStream()).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  it.each<[string, SubscriptionCommand, SubscriptionCommand]>([
    ['a link that another writer replaced', link('u1'), link('u2')],
    ['a link that another writer took back', link('u1'), unlink],
  ])('is executed though it was once, being %s meanwhile', async (_, again, meanwhile) => {
    const [stale, other] = [writer(), writer()];
    const ops = { actor: 'ops', correlationId: 'r', causation: null, stripe: null };
    const execute = (one: SubscriptionRepository, command: SubscriptionCommand) =>
      one.execute({ stream, command, origin: ops, expectsNewStream: false });
    await execute(stale, again);
    await execute(other, meanwhile);
    expect(await execute(stale, again)).toMatchObject({ outcome: 'applied' });
    expect(await other.stateOf(stream)).toMatchObject({ link: 'u1' });
    expect(await execute(stale, again)).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toHaveLength(3);
  });

  it('is a duplicate after its stream was forgotten for others', async () => {
    const small = writer(store, { cachedStreams: 1 });
    await small.execute(record('evt_1'));
    await small.execute(record('evt_1', { stream: `${stream}-other` }));
    expect(await small.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await small.execute(record('evt_2'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toEqual(['evt_1', 'evt_2']);
  });

  it.each([
    ['that nobody wrote to', [], false],
    ['that nobody wrote to, and each believes so', [], true],
    ['that all know', ['evt_0'], false],
  ])('sent 32 times at once through two writers to a stream %s is one event', async (_, before, starts) => {
    const repositories = [writer(log.store()), writer(log.store())];
    for (const eventId of before) for (const one of repositories) await one.execute(record(eventId));
    const all = Array.from({ length: 32 }, (_, nth) =>
      repositories[nth % 2]?.execute(record('evt_1', { expectsNewStream: starts })),
    );
    const outcomes = (await Promise.all(all)).map((recorded) => recorded?.outcome);
    expect(outcomes.sort()).toEqual(['applied', ...Array.from({ length: 31 }, () => 'duplicate')]);
    expect(await onStream()).toEqual([...before, 'evt_1']);
  });
});

describe('commands for one stream', () => {
  it('are executed in the order they were sent', async () => {
    const ids = Array.from({ length: 20 }, (_, nth) => `evt_${nth}`);
    const one = writer();
    await Promise.all(ids.map((eventId) => one.execute(record(eventId))));
    expect(await onStream()).toEqual(ids);
  });

  it('go on after one that failed', async () => {
    const line = troubledStore(store, (nth) => {
      if (nth === 0) throw new EventStoreUnavailableError('away');
      return 'passes';
    });
    const one = writer(line);
    const all = await Promise.allSettled(['evt_1', 'evt_2', 'evt_1'].map((id) => one.execute(record(id))));
    expect(codesOf(all)).toEqual(['EventStoreUnavailableError: away', 'applied', 'applied']);
    expect(await onStream()).toEqual(['evt_2', 'evt_1']);
  });
});

describe('an append whose outcome is unknown', () => {
  it.each(['lands unheard', 'is lost'] as const)(
    'is sent again byte for byte when it %s, and counts once',
    async (fate) => {
      await writer().execute(record('evt_0'));
      const line = troubledStore(store, (nth) => (nth < 2 ? fate : 'passes'));
      const one = writer(line);
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
    const line = troubledStore(store, async (nth) => {
      if (nth === 0) return 'lands unheard';
      if (nth === 1) await writer().execute(record('evt_2'));
      return 'passes';
    });
    const one = writer(line);
    expect(await one.execute(record('evt_1', { expectsNewStream: true }))).toMatchObject({
      outcome: 'applied',
    });
    expect(line.sent[1]).toEqual(line.sent[0]);
    expect(await one.execute(record('evt_3'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  it('is decided anew only when its place was taken by another', async () => {
    const line = troubledStore(store, async (nth) => {
      if (nth === 0) return 'is lost';
      if (nth === 1) await writer().execute(record('evt_other'));
      return 'passes';
    });
    const recorded = await writer(line).execute(record('evt_1', { expectsNewStream: true }));
    expect(recorded.outcome).toBe('applied');
    const [first, repeat, decidedAnew] = line.sent;
    expect(line.sent).toHaveLength(3);
    expect(repeat).toEqual(first);
    expect(decidedAnew).toMatchObject({ expected: 0 });
    expect(decidedAnew?.events[0]?.id).not.toBe(first?.events[0]?.id);
    expect(await onStream()).toEqual(['evt_other', 'evt_1']);
  });

  it('is a duplicate when its place was taken by the same Stripe event', async () => {
    const line = troubledStore(store, async (nth) => {
      if (nth === 0) return 'is lost';
      await writer().execute(record('evt_1'));
      return 'passes';
    });
    expect(await writer(line).execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toEqual(['evt_1']);
  });

  it('is given up after five times, and nothing is believed of the stream then', async () => {
    const line = troubledStore(store, (nth) =>
      nth === 0 ? 'lands unheard' : nth < 5 ? 'is lost' : 'passes',
    );
    const one = writer(line);
    await expect(one.execute(record('evt_1'))).rejects.toThrow(OutcomeUnknownError);
    expect(line.sent).toHaveLength(5);
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'duplicate' });
    expect(await onStream()).toEqual(['evt_1']);
  });

  it.each([
    ['is away', new EventStoreUnavailableError('away')],
    ['refuses it', new EventTooLargeError('too large')],
  ])('is never one that is answered: when the store %s, it is not sent again', async (_, fault) => {
    const line = troubledStore(store, () => {
      throw fault;
    });
    await expect(writer(line).execute(record('evt_1'))).rejects.toBe(fault);
    expect(line.sent).toHaveLength(1);
  });
});

describe('a stream that changes while one decides', () => {
  /** Another writer that gets in before each of the first `times` appends. */
  function racing(times: number): TroubledStore {
    const other = writer();
    return troubledStore(store, async (nth): Promise<Fate> => {
      if (nth < times) await other.execute(record(`evt_other${nth}`));
      return 'passes';
    });
  }

  it('is decided on anew each time, at its new end', async () => {
    const line = racing(7);
    expect(await writer(line).execute(record('evt_1'))).toMatchObject({ outcome: 'applied' });
    expect(line.sent.map(({ expected }) => expected)).toEqual(['no_stream', 0, 1, 2, 3, 4, 5, 6]);
    const others = Array.from({ length: 7 }, (_, nth) => `evt_other${nth}`);
    expect(await onStream()).toEqual([...others, 'evt_1']);
  });

  it('is left after eight times, with nothing written, and may be tried again', async () => {
    const line = racing(8);
    const one = writer(line);
    await expect(one.execute(record('evt_1'))).rejects.toThrow(ContentionError);
    expect(line.sent).toHaveLength(8);
    expect(await onStream()).not.toContain('evt_1');
    expect(await one.execute(record('evt_1'))).toMatchObject({ outcome: 'applied' });
    expect(await onStream()).toContain('evt_1');
  });

  it('is read to its end when its state is asked for', async () => {
    const [one, other] = [writer(), writer()];
    await one.execute(record('evt_1'));
    await other.execute(record('evt_2'));
    const { seen, link } = await one.stateOf(stream);
    expect({ link, seen: ['evt_1', 'evt_2', 'evt_3'].map((key) => seen.has(key)) }).toEqual({
      link: null,
      seen: [true, true, false],
    });
    expect(await one.stateOf(`${stream}-of-nobody`)).toMatchObject({ seen: { size: 0 }, link: null });
  });

  it('leaves the process to others while it is long and read for the first time', async () => {
    await writer().execute(record('evt_1'));
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
    const one = writer({ ...troubledStore(store), readPage });
    const { size } = (await one.stateOf(stream)).seen;
    clearImmediate(next);
    expect(turns).toBeGreaterThan(2);
    expect(size).toBe(3_000);
    expect(Math.max(...most)).toBeLessThan(1_000);
  });
});

describe('two writers with many commands for one stream, some of them the same', () => {
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
        const one = writer(log.store());
        return share.map((eventId) => insist(one, eventId));
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(48);
    expect((await onStream()).sort()).toEqual(ids.sort());
  });
});

describe('a writer whose log lost what it has in memory', () => {
  it('decides from the log again, told so or found out by a conflict', async () => {
    const one = writer();
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
    const one = writer(store, {
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
