import fc from 'fast-check';
import type { EventStore } from '../../event-store/event-store.js';
import type { DomainEvent } from '../../events/event-types.js';
import { GENESIS_HASH, sealEvent } from '../../events/hash-chain.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { checkpointText, parseCheckpointText } from '../merkle/checkpoint.js';
import { growTiles } from '../merkle/grow-tiles.js';
import { bundleOf, entryOf, leafOf } from '../merkle/leaf.js';
import { RunningTree } from '../merkle/running-tree.js';
import { tilePath } from '../merkle/tiles.js';
import { markOf } from './build-tree.js';
import type { Mirror } from './mirror.js';
import { TreeCopy } from './tree-copy.js';
import { type Difference, type LogReport, verifyLog } from './verify-log.js';

const STREAMS = 9;
const EVENTS = 300;

type Written = Omit<StoredEvent, 'position'> & { readonly content: DomainEvent; readonly recordedAt: string };

const RECORDED_AT = '2026-11-01T09:30:02.000Z';

/** Events in their order, with revisions and chains as they stand there: what a writer, or a forger, would make of them. */
function sealed(events: readonly Pick<Written, 'stream' | 'content' | 'recordedAt'>[]): readonly Written[] {
  const ends = new Map<string, { readonly revision: number; readonly hash: string }>();
  return events.map(({ stream, content, recordedAt }) => {
    const end = ends.get(stream) ?? { revision: -1, hash: GENESIS_HASH };
    const revision = end.revision + 1;
    const metadataWithoutHashes = {
      stripeEventId: null,
      stripeEventType: null,
      stripeCreated: null,
      apiVersion: null,
      livemode: null,
      correlationId: 'request',
      causationId: null,
      actor: 'key:1',
      recordedAt,
      schemaVersion: 1,
    };
    const { hash, ...event } = sealEvent({
      ...content,
      stream,
      revision,
      prevHash: end.hash,
      metadataWithoutHashes,
      idKey: `${stream}/${revision}`,
    });
    ends.set(stream, { revision, hash });
    return { ...event, stream, revision, content, recordedAt };
  });
}

function reported(n: number): DomainEvent {
  const values = { members: n };
  return { type: 'UsageReported', data: { userId: `u${n % STREAMS}`, limit: 'members', value: n, values } };
}

const LOG = sealed(
  Array.from({ length: EVENTS }, (_, n) => ({
    stream: `tenure.usage-u${(n * 7) % STREAMS}`,
    content: reported(n),
    recordedAt: RECORDED_AT,
  })),
);

function storeOf(log: readonly Written[]): EventStore {
  const stored = log.map(
    ({ content: _, recordedAt: __, ...event }, at): StoredEvent => ({ ...event, position: `${at + 1}` }),
  );
  const fails = (): never => {
    throw new Error('not asked for here');
  };
  return {
    readAll: async (after, limit) => {
      const events = stored.slice(Number(after ?? 0), Number(after ?? 0) + limit);
      return { events, scanned: events.at(-1)?.position ?? after };
    },
    readPage: async (stream, from, limit) =>
      stored.filter((event) => event.stream === stream && event.revision >= from).slice(0, limit),
    append: fails,
    read: fails,
    readLast: fails,
    readKeys: fails,
    readAfterEvent: fails,
    head: fails,
    eventIdAt: fails,
    eventAt: fails,
    onAppend: fails,
    close: fails,
  };
}

/** A mirror of the first events of a log, as the service would have written it. */
function mirrorOf(log: readonly Written[]): { readonly mirror: Mirror; readonly files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>();
  const marks = log.map(markOf);
  const leaves = marks.map((mark, at) => leafOf(at, mark));
  for (const { level, index, hashes } of growTiles(0, new Map(), leaves)) {
    files.set(`tile/${tilePath({ level, index, width: hashes.length / 32 })}`, hashes);
  }
  for (let index = 0; index * 256 < marks.length; index += 1) {
    const entries = marks
      .slice(index * 256, (index + 1) * 256)
      .map((mark, at) => entryOf(index * 256 + at, mark));
    const path = tilePath({ level: 'entries', index, width: entries.length });
    files.set(`tile/${path}`, bundleOf(entries));
  }
  const tree = new RunningTree();
  for (const leaf of leaves) tree.add(leaf);
  const text = checkpointText({ origin: 'example.com/log', size: tree.size, root: tree.root() });
  files.set('checkpoint', Buffer.from(`${text}\n— example.com/log ${Buffer.alloc(68).toString('base64')}\n`));
  const mirror = {
    read: async (path: string) => files.get(path) ?? null,
    write: async () => {
      throw new Error('nobody writes here');
    },
  };
  return { mirror, files };
}

/** The log as it is, held against the checkpoint, and the mirror, of the first `known` events as they were. */
async function verified(log: readonly Written[], known: number): Promise<LogReport> {
  const copy = await TreeCopy.open(mirrorOf(LOG.slice(0, known)).mirror);
  if (copy === null) throw new Error('there is no copy');
  const checkpoints = [{ from: 'kept', checkpoint: copy.checkpoint }];
  return verifyLog({ store: storeOf(log), checkpoints, copy, onProgress: () => undefined });
}

/** What somebody does to the log at a place; sealed anew, every chain is recomputed, and nothing inside the log tells. */
type Tampering = readonly [
  what: string,
  kinds: readonly Difference['kind'][],
  tamper: (at: number) => readonly Written[],
];

const changed = (at: number, change: (event: Written) => Written): readonly Written[] =>
  LOG.map((event, index) => (index === at ? change(event) : event));
const without = (at: number): readonly Written[] => LOG.filter((_, index) => index !== at);

const TAMPERINGS: readonly Tampering[] = [
  ['data', ['changed'], (at) => sealed(changed(at, (event) => ({ ...event, content: reported(9_999) })))],
  [
    'the recording time',
    ['changed'],
    (at) => sealed(changed(at, (event) => ({ ...event, recordedAt: '2026-11-01T09:30:02.001Z' }))),
  ],
  [
    'the stream',
    ['changed', 'moved'],
    (at) => sealed(changed(at, (event) => ({ ...event, stream: 'tenure.usage-x' }))),
  ],
  [
    'an id alone',
    ['changed'],
    (at) => changed(at, (event) => ({ ...event, id: '9dddd3f5-9d66-4c3b-a780-ff1065c30129' })),
  ],
  // Of the last event that is known the one behind it stands in its place.
  ['a deletion', ['missing', 'changed'], without],
  ['a deletion with the chain rewritten', ['missing', 'changed'], (at) => sealed(without(at))],
  [
    'an insertion',
    ['added', 'changed'],
    (at) =>
      sealed([
        ...LOG.slice(0, at),
        { content: reported(9_999), recordedAt: RECORDED_AT, stream: 'tenure.usage-new' },
        ...LOG.slice(at),
      ]),
  ],
  ['a truncation', ['missing'], (at) => LOG.slice(0, at)],
];

describe('The verification of a log', () => {
  it('finds and locates every tampering, also by someone who recomputed the chains', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 260, max: EVENTS }),
        fc.nat(),
        fc.constantFrom(...TAMPERINGS),
        async (known, seed, [, kinds, tamper]) => {
          const at = seed % known;
          const { checkpoints, difference } = await verified(tamper(at), known);
          expect(checkpoints.map(({ verdict }) => verdict)).not.toContain('holds');
          expect(difference?.index).toBe(at);
          expect(kinds).toContain(difference?.kind);
          expect(difference?.expected.id).toBe(LOG[at]?.id);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('holds the first and the last event against what a mirror covers, too', async () => {
    for (const at of [0, 256, 279]) {
      const log = sealed(changed(at, (event) => ({ ...event, content: reported(9_999) })));
      expect((await verified(log, 280)).difference).toMatchObject({ index: at, kind: 'changed' });
    }
  });

  it('tells an exchange of two events as moved', async () => {
    const [a, b] = [LOG[40], LOG[41]];
    const log = LOG.map((event, at) => (at === 40 ? b : at === 41 ? a : event) ?? event);
    const { difference } = await verified(log, EVENTS);
    expect(difference).toMatchObject({
      index: 40,
      kind: 'moved',
      found: { id: b?.id },
      expected: { id: a?.id },
    });
  });

  it('finds by the chains alone what was changed behind the newest checkpoint without recomputing them', async () => {
    const log = changed(290, (event) => ({ ...event, data: event.data.replace('"value":290', '"value":1') }));
    const report = await verified(log, 280);
    expect(report).toMatchObject({ difference: null, unproven: 20 });
    expect(report.broken[0]).toMatchObject({ id: LOG[290]?.id, why: 'hash' });
  });

  it('finds nothing in a log that is untouched, or grew', async () => {
    for (const known of [1, 255, 256, 257, EVENTS]) {
      const { checkpoints, difference, brokenCount, events } = await verified(LOG, known);
      expect([checkpoints[0]?.verdict, difference, brokenCount, events]).toEqual(['holds', null, 0, EVENTS]);
    }
  });

  it('does not believe a mirror that disagrees with itself', async () => {
    const { mirror, files } = mirrorOf(LOG);
    const path = 'tile/0/001.p/44';
    const tile = Buffer.from(files.get(path) ?? Buffer.of());
    tile[7] = (tile[7] ?? 0) ^ 1;
    files.set(path, tile);
    await expect(TreeCopy.open(mirror)).rejects.toMatchObject({ code: 'false_proof' });
    files.delete(path);
    await expect(TreeCopy.open(mirror)).rejects.toMatchObject({ code: 'false_proof' });
    files.delete('checkpoint');
    expect(await TreeCopy.open(mirror)).toBeNull();
    expect(
      parseCheckpointText(checkpointText({ origin: 'a', size: 0, root: new RunningTree().root() })).size,
    ).toBe(0);
  });
});
