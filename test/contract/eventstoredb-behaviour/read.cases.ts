import { randomUUID } from 'node:crypto';
import { binaryEvent, jsonEvent } from '@eventstore/db-client';
import { z } from 'zod';
import type { CaseFamily } from './cases.js';
import { attempt, expectRecorded, inRecordedWords } from './observe.js';
import { along, batchOf, eventsOf, everything, numbered, World } from './world.js';

type ReadOptions = Parameters<World['client']['readStream']>[1];
type At = { readonly commit: bigint; readonly prepare: bigint };

const read = (client: World['client'], stream: string, options: ReadOptions = {}) =>
  attempt(
    (async () => {
      const revisions = [];
      for await (const { event } of client.readStream(stream, options))
        revisions.push(Number(event?.revision));
      return revisions;
    })(),
  );

/** Options of the read cases by the end of their ids, all on a stream of five events. */
const READS: Readonly<Record<string, () => ReadOptions>> = {
  'bwd-1': () => ({ direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
  'bwd-all': () => ({ direction: 'backwards', fromRevision: 'end' }),
  'bwd-from2': () => ({ direction: 'backwards', fromRevision: 2n }),
  'bwd-from99': () => ({ direction: 'backwards', fromRevision: 99n }),
  'bwd-start': () => ({ direction: 'backwards', fromRevision: 'start' }),
  'fwd-from2': () => ({ fromRevision: 2n }),
  'fwd-from5': () => ({ fromRevision: 5n }),
  'fwd-from99': () => ({ fromRevision: 99n }),
  'fwd-end': () => ({ fromRevision: 'end' }),
  max0: () => ({ maxCount: 0 }),
  negative: () => ({ fromRevision: -1n }),
  'missing-fwd': () => ({}),
  'missing-bwd1': () => ({ direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
  'missing-fromrev5': () => ({ fromRevision: 5n }),
};

const READ: CaseFamily = {
  ids: /^read-(?!your-writes)/,
  replay: async ({ id, result }, world) => {
    const stream = id.includes('missing') ? `nope-${randomUUID()}` : await world.stream(5);
    if (id === 'read-missing-events') return missingWithListeners(world, result);
    const options = READS[id.replace('read-', '')];
    if (options === undefined) throw new Error(`no such read: ${id}`);
    const seen = (async () => read(world.client, stream, options()))();
    expectRecorded(await attempt(seen), result, stream);
  },
};

async function missingWithListeners({ client }: World, result: unknown): Promise<void> {
  const log: string[] = [];
  const reading = client.readStream('nope-x');
  for (const name of ['end', 'close', 'data']) reading.on(name, () => log.push(name));
  await new Promise<void>((resolve) => {
    reading.on('error', (error) => {
      const name: unknown = Reflect.get(error, 'streamName');
      log.push(
        `error ${Reflect.get(error, 'type')} ${error.constructor.name} streamName=${name} typeof ${typeof name}`,
      );
      resolve();
    });
  });
  await eventsOf(client, 'nope-x');
  expect(log).toEqual(result);
}

/** What an event looks like when it is read back. */
const SHAPES: CaseFamily = {
  ids: /^(event-shape|resolved-shape|binary-event|json-fidelity)$/,
  replay: async ({ id, result }, shared) => {
    const world = id.endsWith('shape') ? await World.open() : shared;
    const stream = `rd-${randomUUID()}`;
    const { client } = world;
    try {
      if (id === 'binary-event') {
        const event = binaryEvent({ type: 'B', data: Uint8Array.of(1, 2, 3), metadata: { a: 1 } });
        await client.appendToStream(stream, event);
        const [stored] = await eventsOf(client, stream);
        const { data, metadata, isJson } = stored ?? {};
        expect({
          isJson,
          dataClass: data?.constructor.name,
          data: data instanceof Uint8Array ? Buffer.from(data).toString('hex') : data,
          metadata,
          metaClass: metadata?.constructor.name,
        }).toEqual(result);
        return;
      }
      if (id === 'json-fidelity') return await jsonFidelity(world, stream, result);
      await client.appendToStream(stream, jsonEvent({ type: 'T0', data: { i: 0 } }));
      for await (const resolved of client.readStream(stream)) {
        const event = resolved.event;
        if (event === undefined) throw new Error('no event');
        const { keys } = z.object({ keys: z.array(z.string()) }).parse(result);
        expect(Object.keys(id === 'event-shape' ? event : resolved)).toEqual(keys);
        const sample = inRecordedWords(event);
        const recorded = z.looseObject({ sample: z.looseObject({}).optional() }).parse(result);
        if (id === 'event-shape') {
          expect(sample).toEqual({ ...recorded.sample, streamId: stream, id: event.id });
          expect(`${typeof event.metadata}`).toBe(recorded.metadataWhenAbsent);
        } else expect(inRecordedWords(resolved.commitPosition)).toBe(recorded.commitPosition);
      }
    } finally {
      if (world !== shared) await world.close();
    }
  },
};

async function jsonFidelity({ client }: World, stream: string, result: unknown): Promise<void> {
  const data = { text: 'ü\u0000€𝄞', float: 0.1 + 0.2, tiny: 5e-324, none: null, list: [1, 'a', false] };
  const write = (options: object) =>
    client.appendToStream(stream, jsonEvent({ type: 'J', data, metadata: { m: 'ü' } }), options);
  await write({});
  await write(along('unary'));
  const [first, second] = await eventsOf(client, stream);
  const same = (value: unknown) => JSON.stringify(value) === JSON.stringify(data);
  expect({ equal: same(first?.data), metadata: first?.metadata, readEqualUnary: same(second?.data) }).toEqual(
    result,
  );
}

/** Positions and the order of `$all`. */
const POSITIONS: CaseFamily = {
  ids: /^(positions-step|all-)/,
  replay: async ({ id, result }, shared) => {
    if (id === 'all-fresh-server') {
      const fresh = await World.open();
      try {
        const seen = (await everything(fresh.client)).map(({ streamId, type, revision, position }) => ({
          stream: streamId,
          type,
          rev: revision,
          pos: position,
          commitPosition: position?.commit,
        }));
        expect(inRecordedWords(seen)).toEqual(result);
      } finally {
        await fresh.close();
      }
      return;
    }
    if (id === 'positions-step') return positionSteps(shared, result);
    const stream = await shared.stream(3);
    const [, second, third] = await eventsOf(shared.client, stream);
    if (second?.position === undefined || third?.position === undefined) throw new Error('no positions');
    const from = (fromPosition: At | 'end', more: object = {}) =>
      attempt(
        (async () => {
          const ids = [];
          for await (const { event } of shared.client.readAll({ fromPosition, ...more })) ids.push(event?.id);
          return ids;
        })(),
      );
    const { commit } = second.position;
    const at = (position: bigint) => from({ commit: position, prepare: position });
    switch (id) {
      case 'all-order':
        return allOrder(shared, result);
      case 'all-from-position-fwd': {
        const [first] = z.array(z.string()).parse(await at(commit));
        expect({ firstIsE: first === second.id }).toEqual(result);
        return;
      }
      case 'all-from-position-bwd': {
        const [first] = z
          .array(z.string())
          .parse(await from(second.position, { direction: 'backwards', maxCount: 2 }));
        const [before] = await eventsOf(shared.client, stream);
        expect({ firstIsE: first === second.id, firstIsPredecessor: first === before?.id }).toEqual(result);
        return;
      }
      case 'all-from-between-P-and-next':
        return expectRecorded(await at(commit + 1n), result, stream);
      case 'all-from-just-before-P':
        return expectRecorded(await at(commit - 1n), result, stream);
      case 'all-from-beyond-end':
        return expectRecorded(await at(commit + 1_000_000_000n), result, stream);
      case 'all-end-bwd-1': {
        const last = await from('end', { direction: 'backwards', maxCount: 1 });
        expect({ isLast: z.array(z.string()).parse(last)[0] === third.id }).toEqual(result);
        return;
      }
      default:
        throw new Error(`no such read of all: ${id}`);
    }
  },
};

async function allOrder({ client }: World, result: unknown): Promise<void> {
  const { n } = z.object({ n: z.number() }).parse(result);
  for (let i = 0; i < n; i += 1) await client.appendToStream(`o-${randomUUID()}`, numbered(i));
  let last = -1n;
  let [increasing, equal, ownCommit] = [true, true, true];
  for await (const { event, commitPosition } of client.readAll()) {
    if (event?.position === undefined) throw new Error('an event without a position');
    increasing &&= event.position.commit > last;
    equal &&= event.position.commit === event.position.prepare;
    ownCommit &&= commitPosition === event.position.commit;
    last = event.position.commit;
  }
  expect(result).toMatchObject({ strictlyIncreasing: increasing, commitEqPrepareAll: equal });
  expect(ownCommit).toBe(true);
}

/** The sizes of records are the server's own; that they are sizes, and whose positions are answered, is not. */
async function positionSteps({ client }: World, result: unknown): Promise<void> {
  const stream = `ps-${randomUUID()}`;
  const answered: (bigint | undefined)[] = [];
  for (let n = 0; n < 20; n += 1) {
    answered.push((await client.appendToStream(stream, numbered(n % 10))).position?.commit);
  }
  const batch = await client.appendToStream(stream, batchOf(3));
  const positions = (await eventsOf(client, stream)).map(({ position }) => position);
  const commits = positions.map((position) => position?.commit ?? 0n);
  const steps = new Set(commits.slice(1, 20).map((commit, n) => commit - (commits[n] ?? 0n)));
  expect({
    commitEqualsPrepare: positions.every((position) => position?.commit === position?.prepare),
    appendPositionEqualsEventPosition: answered.every((commit, n) => commit === commits[n]),
    batchReturnIsLastEvents: batch.position?.commit === commits.at(-1),
  }).toEqual({
    commitEqualsPrepare: Reflect.get(Object(result), 'commitEqualsPrepare'),
    appendPositionEqualsEventPosition: Reflect.get(Object(result), 'appendPositionEqualsEventPosition'),
    batchReturnIsLastEvents: Reflect.get(Object(result), 'batchReturnIsLastEvents'),
  });
  expect([...steps].every((step) => step > 100n)).toBe(true);
}

/** Links, left alone and followed. */
const LINKS: CaseFamily = {
  ids: /^links-/,
  replay: async ({ id, result }, { client }) => {
    const links = `linkstream-${randomUUID()}`;
    const target = `target-${randomUUID()}`;
    await client.appendToStream(target, jsonEvent({ type: 'Target', data: { t: 1 } }));
    const link = (to: string) => binaryEvent({ type: '$>', data: Buffer.from(to) });
    await client.appendToStream(links, link(`0@${target}`));
    await client.appendToStream(links, link(`0@missing-${target}`));
    await client.appendToStream(links, jsonEvent({ type: 'Plain', data: {} }));
    const name = (stream: string | undefined) => stream?.split('-')[0];
    const seen = [];
    const resolveLinkTos = id !== 'links-unresolved';
    const reading =
      id === 'links-all' ? client.readAll({ resolveLinkTos }) : client.readStream(links, { resolveLinkTos });
    for await (const { event, link: via, commitPosition } of reading) {
      if ((via ?? event)?.streamId !== links) continue;
      if (id === 'links-all') {
        seen.push({
          ev: event?.type,
          link: via?.type,
          evPosEqLinkPos: via && event ? event.position?.commit === via.position?.commit : undefined,
          commitPosition,
        });
        continue;
      }
      const shape = (record: typeof event) =>
        record && { stream: name(record.streamId), rev: record.revision, type: record.type };
      seen.push({ event: shape(event), link: shape(via) });
    }
    const recorded: unknown = JSON.parse(JSON.stringify(result), (key, value: unknown) =>
      key === 'commitPosition' ? expect.stringMatching(/^\d+n$/) : value,
    );
    expect(inRecordedWords(seen)).toEqual(recorded);
  },
};

export const READING: readonly CaseFamily[] = [READ, SHAPES, POSITIONS, LINKS];
