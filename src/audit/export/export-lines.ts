import { createHash } from 'node:crypto';
import { type AuditKey, verifierTextsOf } from '../tree/audit-key.js';
import type { SnapshotByBothClocks } from './both-clocks.js';
import type { ProvenEvent } from './proven-events.js';

/** What the export of a user is made of (docs/AUDIT.md, "An export"). */
export interface ExportedUser {
  readonly userId: string;
  /** The name of the log's tree. */
  readonly origin: string;
  /** RFC 3339, UTC, ms. */
  readonly exportedAt: string;
  /** The version of Tenure that judged the snapshots. */
  readonly release: string;
  /** Every key of the log that there ever was, the newest first. */
  readonly keys: readonly AuditKey[];
  /** The signed checkpoint that the events are proved by. */
  readonly checkpoint: string;
  /** A checkpoint that was signed before, and the proof that the tree begins with it. */
  readonly older: readonly { readonly note: string; readonly proof: readonly Buffer[] }[];
  /** In the log's order. */
  readonly events: readonly ProvenEvent[];
  /** Streams of which the export has every event that the checkpoint covers. */
  readonly wholeStreams: ReadonlySet<string>;
  readonly snapshots: readonly SnapshotByBothClocks[];
}

/** A file that lies beside an export, which names it and its SHA-256. */
export interface FileBeside {
  readonly name: string;
  readonly text: string;
}

type Line = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** Every line of an export but the last, which signs them; each with its newline. */
export function exportLines(exported: ExportedUser, files: readonly FileBeside[]): string {
  const { userId, origin, exportedAt, release, keys, checkpoint, older, events, snapshots } = exported;
  const lines: readonly Line[] = [
    { kind: 'export', version: 1, origin, user: userId, exportedAt, release },
    ...keys
      .flatMap((key) => verifierTextsOf(key, origin))
      .map((verifierKey) => ({ kind: 'key', verifierKey })),
    { kind: 'checkpoint', note: checkpoint },
    ...older.map(({ note, proof }) => ({ kind: 'older', note, proof: proof.map(base64) })),
    ...streamsOf(exported),
    ...events.map(eventLine),
    ...snapshots.map((snapshot) => ({ kind: 'snapshot', ...snapshot })),
    ...files.map(({ name, text }) => ({ kind: 'file', name, sha256: sha256(text, 'hex') })),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * What is signed of an export: its lines, of which there are so many. The spaces of its first line keep it apart from
 * checkpoints, which the same keys sign: no origin has any.
 */
export function statementText(origin: string, lines: string): string {
  const count = lines.split('\n').length - 1;
  return `tenure audit export v1\n${origin}\n${count}\n${sha256(lines, 'base64')}\n`;
}

/** The last line of an export. */
export function signatureLine(note: string): string {
  return `${JSON.stringify({ kind: 'signature', note })}\n`;
}

function streamsOf({ events, wholeStreams }: ExportedUser): readonly Line[] {
  const counts = new Map<string, number>();
  for (const { event } of events) counts.set(event.stream, (counts.get(event.stream) ?? 0) + 1);
  return [...counts].map(([stream, count]) => ({
    kind: 'stream',
    stream,
    events: count,
    whole: wholeStreams.has(stream),
  }));
}

/** Data and metadata are the very texts that the hash was made of, as strings. */
function eventLine({ index, proof, event }: ProvenEvent): Line {
  const { position, stream, revision, id, type, data, metadata } = event;
  return {
    kind: 'event',
    index,
    position,
    stream,
    revision,
    id,
    type,
    data,
    metadata,
    proof: proof.map(base64),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function sha256(text: string, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(text).digest(encoding);
}
