import {
  type ExportedUser,
  exportLines,
  signatureLine,
  statementText,
} from '../../src/audit/export/export-lines.js';
import type { ProvenEvent } from '../../src/audit/export/proven-events.js';
import { checkpointText } from '../../src/audit/merkle/checkpoint.js';
import { leafOf } from '../../src/audit/merkle/leaf.js';
import { cosignText, privateKeyOf, publicBytesOf, signText } from '../../src/audit/merkle/note-keys.js';
import { consistencyRanges, inclusionRanges, type LeafRange } from '../../src/audit/merkle/proofs.js';
import { formatNote } from '../../src/audit/merkle/signed-note.js';
import { nodeHash, splitOf } from '../../src/audit/merkle/tree-hash.js';
import { type AuditKey, verifierKeysOf, verifierTextsOf } from '../../src/audit/tree/audit-key.js';
import { markOf } from '../../src/audit/tree/build-tree.js';
import { GENESIS_HASH, sealEvent } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';

export const ORIGIN = 'example.com/audit/log';
const USER = 'ann "of" 42';
const AT = '2026-11-01T09:30:02.000Z';

/** Streams of a log, event by event. The export has two events of `t.skips`; those of `t.torn` do not follow each other. */
const STREAMS = [
  't.torn',
  't.usage-ann',
  't.skips',
  't.usage-ann',
  't.skips',
  't.catalog',
  't.torn',
  't.skips',
  't.usage-ann',
  't.skips',
];

/** Events with their chains, as a writer would make them. */
function log(): readonly StoredEvent[] {
  const ends = new Map<string, { readonly revision: number; readonly hash: string }>();
  return STREAMS.map((stream, n) => {
    const end = ends.get(stream) ?? { revision: -1, hash: GENESIS_HASH };
    const { hash, ...sealed } = sealEvent({
      type: 'UsageReported',
      data: { userId: 'é', limit: 'members', value: n, values: { members: n } },
      stream,
      revision: end.revision + 1,
      prevHash: end.hash,
      metadataWithoutHashes: {
        stripeEventId: null,
        stripeEventType: null,
        stripeCreated: null,
        apiVersion: null,
        livemode: null,
        correlationId: '"hash":"',
        causationId: null,
        actor: 'key:1',
        recordedAt: AT,
        schemaVersion: 1,
      },
      idKey: `${n}`,
    });
    ends.set(stream, { revision: end.revision + 1, hash: stream === 't.torn' ? '7'.repeat(64) : hash });
    return { ...sealed, stream, revision: end.revision + 1, position: `${n + 1}` };
  });
}

const LOG = log();
const LEAVES = LOG.map((event, at) => leafOf(at, markOf(event)));

/** The tree of RFC 6962, 2.1, as it stands there. */
function rootOf({ from, to }: LeafRange): Buffer {
  const [leaf] = LEAVES.slice(from, to);
  if (leaf !== undefined && to - from === 1) return leaf;
  const middle = from + splitOf(to - from);
  return nodeHash(rootOf({ from, to: middle }), rootOf({ from: middle, to }));
}

/** A key by its seed, which is one byte 32 times. */
export class ExportKey {
  readonly #half;
  readonly kept: AuditKey;

  constructor(seed: number) {
    this.#half = privateKeyOf(Buffer.alloc(32, seed));
    this.kept = { id: `${seed}`, publicKey: publicBytesOf(this.#half), createdAt: 0, retiredAt: null };
  }

  /** As verifiers are given it: as the log, and with the time. */
  get texts(): readonly string[] {
    return verifierTextsOf(this.kept, ORIGIN);
  }

  sign(text: string): string {
    const [{ id }] = verifierKeysOf(this.kept, ORIGIN);
    return formatNote({ text, signatures: [{ name: ORIGIN, id, signature: signText(text, this.#half) }] });
  }

  /** A signed checkpoint of the first `size` events. */
  checkpoint(size: number, root = rootOf({ from: 0, to: size })): string {
    const text = checkpointText({ origin: ORIGIN, size, root });
    const [log, timed] = verifierKeysOf(this.kept, ORIGIN);
    return formatNote({
      text,
      signatures: [
        { name: ORIGIN, id: log.id, signature: signText(text, this.#half) },
        { name: ORIGIN, id: timed.id, signature: cosignText(text, this.#half, 1_793_000_000) },
      ],
    });
  }
}

/** The key of the small export. */
export const KEY = new ExportKey(7);
export const SUMMARY = '<!doctype html><title>é</title>\n';

function proven(event: StoredEvent): ProvenEvent {
  const index = LOG.indexOf(event);
  return { event, index, proof: inclusionRanges(index, LOG.length).map(rootOf) };
}

const OLDER = [3, 4, 8];

/** An export of ten events' log, in which older checkpoints are of 3, 4 and 8. */
function small(): ExportedUser {
  const events = LOG.filter(
    ({ stream, revision }) => stream !== 't.skips' || revision === 1 || revision === 3,
  );
  const cause = events.find(({ stream }) => stream === 't.usage-ann');
  const snapshot = {
    moment: AT,
    served: { plan: 'plus' },
    held: { plan: 'plus' },
    changed: [],
    reasons: { served: null, held: [] },
  };
  return {
    userId: USER,
    origin: ORIGIN,
    exportedAt: AT,
    release: '0.0.0',
    keys: [KEY.kept],
    checkpoint: KEY.checkpoint(LOG.length),
    older: OLDER.map((size) => ({
      note: KEY.checkpoint(size),
      proof: consistencyRanges(size, LOG.length).map(rootOf),
    })),
    events: events.map(proven),
    wholeStreams: new Set(['t.usage-ann', 't.catalog']),
    // What a snapshot holds does not matter here.
    snapshots: [
      { ...snapshot, cause: { kind: 'event', id: cause?.id, recordedAt: AT } },
      { ...snapshot, cause: null },
    ] as unknown as ExportedUser['snapshots'],
  };
}

/** The lines of the small export, without the last one. */
export const LINES: readonly string[] = exportLines(small(), [{ name: 'summary.html', text: SUMMARY }]).split(
  /(?<=\n)/,
);

/** An export of these lines, signed, as whoever holds the key would make it. */
export function signedExport(lines: readonly string[], key = KEY, origin = ORIGIN): Buffer {
  const text = lines.join('');
  return Buffer.from(text + signatureLine(key.sign(statementText(origin, text))));
}

/** The small export. */
export const SMALL = signedExport(LINES);
