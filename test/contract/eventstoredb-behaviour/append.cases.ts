import { randomUUID } from 'node:crypto';
import { binaryEvent, jsonEvent } from '@eventstore/db-client';
import { z } from 'zod';
import type { CaseFamily } from './cases.js';
import { attempt, attemptAppend, expectRecorded } from './observe.js';
import { along, batchOf, eventsOf, numbered, PATHS, type Path, type World } from './world.js';

/** How long a large append may take, where the client's own 10 s are too few on a busy machine, in milliseconds. */
const BIG_MS = 100_000;

const pathOf = (id: string): Path => (id.includes('unary') ? 'unary' : 'batch');

function revisionFrom(word: string): bigint | 'any' | 'no_stream' | 'stream_exists' {
  if (word === 'any' || word === 'no_stream' || word === 'stream_exists') return word;
  return BigInt(word.replace('n', ''));
}

/** The error of an append at a wrong revision, field by field. */
const WRONG_VERSION: CaseFamily = {
  ids: /^wev-/,
  replay: async ({ id, result }, { client }) => {
    const word = id.split('-').at(-1) ?? '';
    const stream = id.includes('missing') ? `missing-${randomUUID()}` : await threeEvents(client);
    const append = client.appendToStream(stream, numbered(9), {
      expectedRevision: revisionFrom(word),
      ...along(pathOf(id)),
    });
    expectRecorded(await attempt(append), result, stream);
  },
};

const PATH_OPTIONS: Readonly<Record<string, { readonly credentials: string; readonly call: object }>> = {
  'path-nocred': { credentials: '', call: {} },
  'path-connstr-cred': { credentials: 'user:password@', call: {} },
  'path-call-cred': { credentials: '', call: along('unary') },
  'path-call-cred-wrong': {
    credentials: '',
    call: { credentials: { username: 'admin', password: 'wrong' } },
  },
};

/** Which calls an append is made of. */
const PATH: CaseFamily = {
  ids: /^path-(nocred|connstr-cred|call-cred|call-cred-wrong)$/,
  replay: async ({ id, result }, world) => {
    const options = PATH_OPTIONS[id];
    if (options === undefined) throw new Error(`no such path: ${id}`);
    const client = world.connect({ credentials: options.credentials });
    const grpcCalls: string[] = [];
    world.server.watch = (method) => grpcCalls.push(method);
    const outcomes = [];
    for (let n = 0; n < 3; n += 1) {
      const { success } = await client.appendToStream(`p-${randomUUID()}`, numbered(n), options.call);
      outcomes.push(success ? 'ok' : 'failed');
    }
    world.server.watch = undefined;
    expect({ grpcCalls, outcomes }).toEqual(result);
  },
};

/** The largest append, summed over its events' data. */
const SIZE: CaseFamily = {
  ids: /^size-(?!.*boundary)/,
  replay: async ({ id, result }, world) => {
    if (id === 'size-what-counts') return sizeThatCounts(world, result);
    const [, path, what] = /^size-(batch|unary)-(.+)$/.exec(id) ?? [];
    if (path === undefined || what === undefined) throw new Error(`no such size: ${id}`);
    const options = { deadline: BIG_MS, ...along(pathOf(id)) };
    const client = what === 'nothrow' ? world.lenient : world.client;
    const stream = `size-${randomUUID()}`;
    const bytes = (size: number) => binaryEvent({ type: 'B', data: new Uint8Array(size) });
    const append = (events: Parameters<typeof client.appendToStream>[1]) =>
      attemptAppend(client.appendToStream(stream, events, options));
    switch (what) {
      case '3x400k':
        return expectRecorded(await append([bytes(400_000), bytes(400_000), bytes(400_000)]), result, stream);
      case 'many-small':
        return expectRecorded(await append(smallEvents(12_000)), result, stream);
      case 'many-small-after': {
        await append(smallEvents(12_000));
        expect(result).toBe('stream-not-found');
        expect(await eventsOf(client, stream)).toEqual([]);
        return;
      }
      case '5000-small':
        return expectRecorded(await append(smallEvents(5_000)), result, stream);
      case 'metadata-counts': {
        const event = binaryEvent({
          type: 'B',
          data: new Uint8Array(600_000),
          metadata: new Uint8Array(600_000),
        });
        return expectRecorded(await append(event), result, stream);
      }
      case 'nothrow':
        return expectRecorded(await append(bytes(1_200_000)), result, stream);
      case '5MB':
      case '20MB':
        return expectRecorded(await append(bytes(megabytes(what))), result, stream);
      case 'after5MB':
      case 'after20MB': {
        const { next } = z.object({ next: z.string() }).parse(result);
        await world.stream(Number(next.replace('n', '')), stream);
        await append(bytes(megabytes(what.replace('after', ''))));
        return expectRecorded(await append(numbered(0)), result, stream);
      }
      default:
        return expectRecorded(await append(bytes(Number(what))), result, stream);
    }
  },
};

const megabytes = (word: string) => Number(word.replace('MB', '')) * 1_000_000;

const smallEvents = (count: number) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: 'Small', data: { n, fill: 'x'.repeat(80) } }));

async function sizeThatCounts({ client }: World, result: unknown): Promise<void> {
  const { maxSumOfDataBytesPerAppend: most } = z
    .object({ maxSumOfDataBytesPerAppend: z.number() })
    .parse(result);
  for (const path of PATHS) {
    const of = (data: number, metadata: number) =>
      client.appendToStream(
        `size-${randomUUID()}`,
        binaryEvent({
          type: 'B'.repeat(500),
          data: new Uint8Array(data),
          metadata: new Uint8Array(metadata),
        }),
        along(path),
      );
    expect(await of(most, 0)).toMatchObject({ success: true });
    expect(await of(600_000, 1_999_999)).toMatchObject({ success: true });
    await expect(of(most + 1, 0)).rejects.toMatchObject({ type: 'maximum-append-size-exceeded' });
  }
}

/** Names and ids that a request may not have. */
const NAMES: CaseFamily = {
  ids: /^(bad-uuid-(batch|unary)|empty-type|dollar-type|stream-name-.*|uuid-case)$/,
  replay: async ({ id, do: what, result }, world) => {
    const stream = id.startsWith('stream-name-') ? nameIn(what) : `n-${randomUUID()}`;
    if (id === 'uuid-case') return upperCaseId(world, stream, result);
    const type = { 'empty-type': '', 'dollar-type': '$mine' }[id] ?? 'T';
    const eventId = id.startsWith('bad-uuid') ? 'not-a-uuid' : randomUUID();
    const append = world.client.appendToStream(
      stream,
      jsonEvent({ id: eventId, type, data: { n: 0 } }),
      along(pathOf(id)),
    );
    expectRecorded(await attempt(append), result, stream);
  },
};

/** The recordings cut long names off after 30 characters; a random end keeps the stream fresh where there is one. */
function nameIn(what: string): string {
  const [, name = ''] = /"(.*)"$/s.exec(what) ?? [];
  if (/^a+$/.test(name)) return 'a'.repeat(2_000);
  return name.length < 20 ? name : name + randomUUID();
}

async function upperCaseId({ client }: World, stream: string, result: unknown): Promise<void> {
  const id = randomUUID().toUpperCase();
  await client.appendToStream(stream, numbered(0, id));
  const [event] = await eventsOf(client, stream);
  expect({ idReadBackIsLower: event?.id === id.toLowerCase(), same: event?.id === id }).toEqual(result);
}

/** A deadline that has passed when the append is made. */
const DEADLINE: CaseFamily = {
  ids: /^deadline--5000-/,
  replay: async ({ id, result }, { client }) => {
    const { r, written } = z.object({ r: z.looseObject({}), written: z.string() }).parse(result);
    const stream = `d-${randomUUID()}`;
    const options = { deadline: -5_000, ...along(pathOf(id)) };
    const { message: _, ...recorded } = r;
    expectRecorded(await attempt(client.appendToStream(stream, numbered(0), options)), recorded, stream);
    expect(written).toBe('stream-not-found');
    expect(await eventsOf(client, stream)).toEqual([]);
  },
};

/** Several events of one append are all there or none is. */
const ATOMIC: CaseFamily = {
  ids: /^atomic-(batch|fail)$/,
  replay: async ({ id, result }, world) => {
    const { client } = world;
    const stream = `atomic-${randomUUID()}`;
    if (id === 'atomic-fail') {
      const append = client.appendToStream(stream, batchOf(3), { expectedRevision: 5n });
      return expectRecorded(await attempt(append), result, stream);
    }
    let writing = true;
    const lengths = new Set<number>();
    const reading = (async () => {
      while (writing) lengths.add(await world.lengthOf(stream));
    })();
    for (let n = 0; n < 30; n += 1) await client.appendToStream(stream, batchOf(50));
    writing = false;
    await reading;
    lengths.add(await world.lengthOf(stream));
    expect({ everyReadSawMultipleOf50: [...lengths].every((length) => length % 50 === 0) }).toEqual({
      everyReadSawMultipleOf50: z.object({ everyReadSawMultipleOf50: z.boolean() }).parse(result)
        .everyReadSawMultipleOf50,
    });
    expect(lengths).toContain(1_500);
  },
};

async function threeEvents(client: World['client']): Promise<string> {
  const stream = `w-${randomUUID()}`;
  await client.appendToStream(stream, batchOf(3));
  return stream;
}

export const APPENDS: readonly CaseFamily[] = [WRONG_VERSION, PATH, SIZE, NAMES, DEADLINE, ATOMIC];
