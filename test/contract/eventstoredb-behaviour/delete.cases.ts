import { randomUUID } from 'node:crypto';
import { until } from '../../support/until.js';
import type { CaseFamily } from './cases.js';
import { attempt, attemptAppend, expectRecorded, inRecordedWords } from './observe.js';
import { along, batchOf, eventsOf, numbered, type World } from './world.js';

type Append = 'any' | 'no_stream' | 'stream_exists' | bigint;

const revisionsOf = async (client: World['client'], stream: string) =>
  (await eventsOf(client, stream)).map(({ revision }) => Number(revision));

const read = (client: World['client'], stream: string, options: object = {}) =>
  attempt(
    (async () => {
      const revisions = [];
      for await (const { event } of client.readStream(stream, options))
        revisions.push(Number(event?.revision));
      return revisions;
    })(),
  );

/** How many of `events`, in order from the first of them on, `$all` still holds. */
async function stillInAll(
  client: World['client'],
  events: Awaited<ReturnType<typeof eventsOf>>,
): Promise<number> {
  const [first] = events;
  if (first?.position === undefined) throw new Error('no position');
  let count = 0;
  for await (const { event } of client.readAll({ fromPosition: first.position })) {
    if (events.some(({ id }) => id === event?.id)) count += 1;
  }
  return count;
}

/** Soft deletes: each case on a stream of three events of its own. */
const DELETE: CaseFamily = {
  ids: /^delete/,
  replay: async ({ id, result }, world) => {
    const { client } = world;
    const old = batchOf(3);
    const stream = `del-${randomUUID()}`;
    const append = (expectedRevision: Append, options = {}) =>
      attemptAppend(client.appendToStream(stream, numbered(7), { expectedRevision, ...options }));
    const remove = (expectedRevision?: bigint) =>
      attempt(client.deleteStream(stream, expectedRevision === undefined ? {} : { expectedRevision }));
    if (!id.startsWith('delete-missing')) await client.appendToStream(stream, old);
    if (id.startsWith('delete-then') || id === 'delete-twice') await remove();
    expectRecorded(await outcome(), result, stream);

    async function outcome(): Promise<unknown> {
      switch (id) {
        case 'delete': {
          const before = await eventsOf(client, stream);
          const deleted = await remove();
          const inAll = await stillInAll(client, before);
          return {
            result: deleted,
            read: await read(client, stream),
            readBwd: await read(client, stream, { direction: 'backwards', fromRevision: 'end' }),
            inAll,
          };
        }
        case 'delete-then-exists':
          return append('stream_exists');
        case 'delete-then-stream_exists-unary':
          return append('stream_exists', along('unary'));
        case 'delete-then-old-ids': {
          const again = client.appendToStream(stream, old, { expectedRevision: 'no_stream' });
          return { r: await attemptAppend(again), read: await read(client, stream) };
        }
        case 'delete-then-wrong-exact':
          return append(1n);
        case 'delete-then-nostream':
          return { r: await append('no_stream'), read: await revisionsOf(client, stream) };
        case 'delete-then-exact':
          return { r: await append(2n), read: await revisionsOf(client, stream) };
        case 'delete-wrong-exp':
          return remove(0n);
        case 'delete-right-exp':
          return remove(2n);
        case 'delete-twice':
        case 'delete-missing':
          return remove();
        case 'delete-missing-exists':
          // The client's types forbid what was measured here.
          return attempt(
            Reflect.apply(client.deleteStream, client, [stream, { expectedRevision: 'stream_exists' }]),
          );
        default:
          throw new Error(`no such delete: ${id}`);
      }
    }
  },
};

/** Tombstones: whatever is tried on the stream afterwards is refused. */
const TOMBSTONE: CaseFamily = {
  ids: /^tombstone/,
  replay: async ({ id, result }, { client, lenient }) => {
    const stream = `tomb-${randomUUID()}`;
    const old = batchOf(3);
    if (id !== 'tombstone-missing')
      await client.appendToStream(stream, old, { expectedRevision: 'no_stream' });
    if (id.startsWith('tombstoned-')) await client.tombstoneStream(stream);
    const [, path, word] = /^tombstoned-append-(batch|unary)-(.+)$/.exec(id) ?? [];
    const expectedRevision: Append =
      word === 'any' || word === 'no_stream' || word === 'stream_exists' ? word : BigInt(word ?? '0');
    const tries: Readonly<Record<string, () => PromiseLike<unknown>>> = {
      tombstone: () => client.tombstoneStream(stream),
      'tombstone-missing': () => client.tombstoneStream(stream),
      'tombstoned-append-nothrow': () => lenient.appendToStream(stream, numbered(7)),
      'tombstoned-append-nothrow-unary': () => lenient.appendToStream(stream, numbered(7), along('unary')),
      'tombstoned-retry-old': () => client.appendToStream(stream, old, { expectedRevision: 'no_stream' }),
      'tombstoned-delete': () => client.deleteStream(stream),
      'tombstoned-tombstone': () => client.tombstoneStream(stream),
    };
    if (id === 'tombstoned-read') return expectRecorded(await read(client, stream), result, stream);
    const attempted = path
      ? client.appendToStream(stream, numbered(7), {
          expectedRevision,
          ...(path === 'unary' ? along('unary') : {}),
        })
      : tries[id]?.();
    if (attempted === undefined) throw new Error(`no such tombstone: ${id}`);
    expectRecorded(await attempt(attempted), result, stream);
  },
};

/** Stream metadata: what is still read, and that revisions go on. */
const METADATA: CaseFamily = {
  ids: /^meta-/,
  replay: async ({ id, result }, world) => {
    const { client } = world;
    const stream = `mc-${randomUUID()}`;
    const first = numbered(0);
    if (id !== 'meta-on-missing-stream' && id !== 'meta-get-missing') {
      await client.appendToStream(stream, [first, ...batchOf(id === 'meta-maxAge' ? 1 : 5)]);
    }
    const limit = () => client.setStreamMetadata(stream, { maxCount: 2 });
    const set = (truncateBefore: number) => client.setStreamMetadata(stream, { truncateBefore });
    expectRecorded(await outcome(), result, stream);

    async function outcome(): Promise<unknown> {
      switch (id) {
        case 'meta-maxCount': {
          const before = await eventsOf(client, stream);
          const setResult = inRecordedWords(await limit());
          const inAll = await stillInAll(client, before);
          return { setResult, revs: await revisionsOf(client, stream), inAll };
        }
        case 'meta-maxCount-append': {
          await limit();
          await client.appendToStream(stream, numbered(6), { expectedRevision: 5n });
          return { revs: await revisionsOf(client, stream) };
        }
        case 'meta-get': {
          await limit();
          return attempt(client.getStreamMetadata(stream));
        }
        case 'meta-get-missing':
          return attempt(client.getStreamMetadata(stream));
        case 'meta-on-missing-stream': {
          await limit();
          const missing = await read(client, stream);
          const only = client.appendToStream(stream, numbered(0), { expectedRevision: 'no_stream' });
          const append = await attemptAppend(only);
          const other = await metadataOnly(world);
          const exists = client.appendToStream(other, numbered(0), { expectedRevision: 'stream_exists' });
          return { read: missing, append, streamExistsOnMetaOnly: await attemptAppend(exists) };
        }
        case 'meta-wrong-exp': {
          await limit();
          return attempt(client.setStreamMetadata(stream, { maxCount: 3 }, { expectedRevision: 9n }));
        }
        case 'meta-maxCount0': {
          await limit();
          return attemptAppend(client.setStreamMetadata(stream, { maxCount: 0 }));
        }
        case 'meta-maxCount-idem': {
          await limit();
          return attemptAppend(client.appendToStream(stream, first, { expectedRevision: 'no_stream' }));
        }
        case 'meta-tb': {
          await set(3);
          return {
            revs: await revisionsOf(client, stream),
            from0: await read(client, stream, { fromRevision: 0n }),
            bwd: await read(client, stream, { direction: 'backwards', fromRevision: 'end' }),
          };
        }
        case 'meta-tb-100': {
          await set(100);
          const revs = await revisionsOf(client, stream);
          const append = await attemptAppend(
            client.appendToStream(stream, numbered(6), { expectedRevision: 5n }),
          );
          return { revs, append, revs2: await revisionsOf(client, stream) };
        }
        case 'meta-maxAge': {
          await client.setStreamMetadata(stream, { maxAge: 1 });
          await until('the events are too old', async () => (await world.lengthOf(stream)) === 0);
          return { revs: await revisionsOf(client, stream) };
        }
        default:
          throw new Error(`no such metadata: ${id}`);
      }
    }
  },
};

/** In one case the stream that holds only metadata is a second one. */
async function metadataOnly({ client }: World): Promise<string> {
  const stream = `mo-${randomUUID()}`;
  await client.setStreamMetadata(stream, { maxCount: 2 });
  return stream;
}

export const DELETES: readonly CaseFamily[] = [DELETE, TOMBSTONE, METADATA];
