import { randomUUID } from 'node:crypto';
import { eventTypeFilter, excludeSystemEvents, jsonEvent, streamNameFilter } from '@eventstore/db-client';
import { until } from '../../support/until.js';
import type { CaseFamily } from './cases.js';
import { type Follower, follow } from './follower.js';
import { expectRecorded } from './observe.js';
import { eventsOf, numbered, World } from './world.js';

type At = { readonly commit: bigint; readonly prepare: bigint };

/** Runs `work` in a world of its own: these cases say what all of `$all` holds. */
async function apart(work: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open();
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

const append = ({ client }: World, stream: string, n: number) => client.appendToStream(stream, numbered(n));

async function unsubscribed(follower: Follower): Promise<readonly unknown[]> {
  await follower.subscription.unsubscribe();
  await follower.saw('close');
  return follower.log;
}

/** What a subscription to one stream sees, in order. */
const STREAM: CaseFamily = {
  ids: /^sub-stream-(sequence|fromRevision-3|end|beyond-end|missing)$/,
  replay: async ({ id, result }, world) => {
    const { client } = world;
    const lengths = { sequence: 11, 'fromRevision-3': 12, end: 12, 'beyond-end': 13, missing: 0 } as const;
    const kind = Object.entries(lengths).find(([name]) => id.endsWith(`sub-stream-${name}`));
    if (kind === undefined) throw new Error(`no such subscription: ${id}`);
    const [name, length] = kind;
    const stream = await world.stream(length);
    const options = {
      sequence: {},
      'fromRevision-3': { fromRevision: 3n },
      end: { fromRevision: 'end' as const },
      'beyond-end': { fromRevision: 500n },
      missing: {},
    }[name];
    const follower = follow(client.subscribeToStream(stream, { ...options }));
    await follower.saw(name === 'missing' ? 'confirmation' : 'caughtUp');
    if (name === 'sequence') follower.note('--append-live');
    if (name === 'missing') follower.note('--append');
    if (name !== 'fromRevision-3') await append(world, stream, length);
    if (name === 'beyond-end') await world.lengthOf(stream);
    else if (name !== 'fromRevision-3') await follower.saw(`E${length}`);
    if (name === 'missing') await follower.saw('caughtUp');
    expect(await unsubscribed(follower)).toEqual(result);
  },
};

/** A subscription while its stream is deleted, revived and tombstoned, and one to a tombstone. */
const ENDED_STREAM: CaseFamily = {
  ids: /^sub-stream-(delete|tombstoned)$/,
  replay: async ({ id, result }, world) => {
    const { client } = world;
    const stream = await world.stream(2);
    if (id === 'sub-stream-tombstoned') {
      await client.tombstoneStream(stream);
      const refused = follow(client.subscribeToStream(stream));
      await refused.ended();
      return expectRecorded(refused.log, result, stream);
    }
    const follower = follow(
      client.subscribeToStream(stream),
      ({ data }) => `E${Reflect.get(Object(data), 'n')}`,
    );
    await follower.saw('caughtUp');
    follower.note('--delete');
    await client.deleteStream(stream);
    follower.note('--append');
    await append(world, stream, 2);
    await follower.saw('E2');
    follower.note('--tombstone');
    await client.tombstoneStream(stream);
    await follower.ended();
    expectRecorded(follower.log, result, stream);
  },
};

/** What a subscription to `$all` sees, in order. */
const ALL: CaseFamily = {
  ids: /^sub-all-sequence$/,
  replay: ({ result }) =>
    apart(async (world) => {
      const stream = await world.stream(10);
      const follower = follow(world.client.subscribeToAll(), ({ type }) =>
        type.startsWith('$') ? `sys:${type}` : type,
      );
      await follower.saw('caughtUp');
      follower.note('--append-live');
      await append(world, stream, 10);
      await follower.saw('E10');
      follower.note('--unsubscribe');
      expect(await unsubscribed(follower)).toEqual(result);
    }),
};

/** Positions a subscription to `$all` may start from. */
const ALL_FROM: CaseFamily = {
  ids: /^sub-all-fromPosition/,
  replay: ({ id, result }) =>
    apart(async (world) => {
      const stream = await world.stream(8);
      const e4 = (await eventsOf(world.client, stream)).find(({ type }) => type === 'E4');
      if (e4?.position === undefined) throw new Error('no position');
      const { commit } = e4.position;
      const starts: Readonly<Record<string, At>> = {
        'sub-all-fromPosition': e4.position,
        'sub-all-fromPosition-P+1': { commit: commit + 1n, prepare: commit + 1n },
        'sub-all-fromPosition-beyond': { commit: commit + 1_000_000n, prepare: commit + 1_000_000n },
        'sub-all-fromPosition-prepare0': { commit, prepare: 0n },
        'sub-all-fromPosition-prepare>commit': { commit, prepare: commit + 1n },
      };
      const fromPosition = starts[id];
      if (fromPosition === undefined) throw new Error(`no such start: ${id}`);
      const follower = follow(world.client.subscribeToAll({ fromPosition }));
      if (Array.isArray(result) && result.length === 1) {
        await follower.ended();
        return expectRecorded(follower.log, result, stream);
      }
      if (id.endsWith('beyond')) {
        await follower.saw('caughtUp');
        await world.client.appendToStream(stream, jsonEvent({ type: 'Elive-beyond', data: {} }));
        await follower.saw('Elive-beyond');
        expect(await unsubscribed(follower)).toEqual(result);
        return;
      }
      await follower.saw('E7');
      const recorded = Array.isArray(result) ? result : Reflect.get(Object(result), 'log');
      expect(follower.log.slice(0, 4)).toEqual(recorded.slice(0, 4));
      expect(follower.log).not.toContain('E4');
      await unsubscribed(follower);
    }),
};

const FILTERS = {
  'filter-type-prefix-User': () => eventTypeFilter({ prefixes: ['User'] }),
  'filter-type-prefixes-User-Order': () => eventTypeFilter({ prefixes: ['User', 'Order'] }),
  'filter-type-regex-^User': () => eventTypeFilter({ regex: '^User' }),
  'filter-type-regex-Placed$': () => eventTypeFilter({ regex: 'Placed$' }),
  'filter-stream-prefix-user-': () => streamNameFilter({ prefixes: ['user-'] }),
  'filter-stream-regex': () => streamNameFilter({ regex: '^(user|order)-' }),
  'filter-excludeSystem': () => excludeSystemEvents(),
  'filter-type-prefix-case-user': () => eventTypeFilter({ prefixes: ['user'] }),
} as const;

/** Which events a filter lets through. */
const FILTER: CaseFamily = {
  ids: /^filter-/,
  replay: ({ id, result }) =>
    apart(async ({ client }) => {
      if (id === 'filter-bad-regex') {
        const refused = follow(client.subscribeToAll({ filter: eventTypeFilter({ regex: '(' }) }));
        await refused.ended();
        return expectRecorded(refused.log, result, randomUUID());
      }
      const filter = Object.entries(FILTERS).find(([name]) => name === id)?.[1]();
      if (filter === undefined) throw new Error(`no such filter: ${id}`);
      for (const [stream, type] of [
        ['user-1', 'UserCreated'],
        ['user-2', 'UserRenamed'],
        ['order-1', 'OrderPlaced'],
        ['$sysstream', 'Plain'],
        ['plain', '$dollar'],
      ] as const) {
        await client.appendToStream(stream, jsonEvent({ type, data: {} }));
      }
      const follower = follow(
        client.subscribeToAll({ filter }),
        ({ streamId, type }) => `${streamId}|${type}`,
      );
      await follower.saw('caughtUp');
      expect(await unsubscribed(follower)).toEqual(result);
    }),
};

/** One append of many events while a subscription is live: the server drops a consumer that is too far behind. */
const BURST: CaseFamily = {
  ids: /^(burst-|slow2ms-burst-)/,
  replay: async ({ id, result }, { client }) => {
    const size = Number(id.split('-').at(-1));
    const stream = `burst-${randomUUID()}`;
    const subscription = id.includes('stream')
      ? client.subscribeToStream(stream, { fromRevision: 'end' })
      : client.subscribeToAll({
          fromPosition: 'end',
          ...(id.includes('filtered') ? { filter: eventTypeFilter({ prefixes: ['Burst'] }) } : {}),
        });
    const follower = follow(subscription, ({ type }) => type);
    await follower.saw('caughtUp');
    if (id.startsWith('slow')) follower.slowDown(2);
    const fill = id.startsWith('slow') ? 'x'.repeat(500) : '';
    const events = Array.from({ length: size }, (_, n) => jsonEvent({ type: `Burst${n}`, data: { fill } }));
    await client.appendToStream(stream, events);
    await until('all delivered or dropped', () => follower.received === size || follower.dropped);
    const delivered = follower.log.filter((entry) => typeof entry === 'string' && entry.startsWith('Burst'));
    expect(delivered).toEqual(delivered.map((_, n) => `Burst${n}`));
    const { received, seq } = Object(result);
    expect(received === size).toBe(delivered.length === size);
    expect(seq.some((entry: unknown) => String(entry).startsWith('timeout'))).toBe(follower.dropped);
    await subscription.unsubscribe();
  },
};

/** A consumer that takes nothing is dropped when it looks again, after what had been sent. */
const PAUSED: CaseFamily = {
  ids: /^paused-live-consumer$/,
  replay: async ({ result }, { client }) => {
    const stream = `paused-${randomUUID()}`;
    const follower = follow(client.subscribeToAll({ fromPosition: 'end' }));
    await follower.saw('caughtUp');
    follower.subscription.pause();
    for (let n = 0; n < 20; n += 1) {
      await client.appendToStream(
        stream,
        Array.from({ length: 1_000 }, () => jsonEvent({ type: 'P', data: { fill: 'x'.repeat(500) } })),
      );
    }
    follower.subscription.resume();
    await follower.ended();
    const { wrote, inOrder, seq } = Object(result);
    expect({ wrote: 20_000, inOrder: true }).toEqual({ wrote, inOrder });
    expect(follower.received).toBeLessThan(20_000);
    expect(follower.log.at(-1)).toMatchObject({ error: seq.at(-1) });
  },
};

export const SUBSCRIPTIONS: readonly CaseFamily[] = [
  STREAM,
  ENDED_STREAM,
  ALL,
  ALL_FROM,
  FILTER,
  BURST,
  PAUSED,
];
