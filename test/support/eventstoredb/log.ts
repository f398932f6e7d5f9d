import { randomUUID } from 'node:crypto';
import { checkAppend } from './append-check.js';
import { CommittedIds } from './committed-ids.js';
import {
  APPEND_BYTES,
  type Expected,
  jsonProposal,
  type LogRecord,
  METADATA_TYPE,
  type ProposedEvent,
  recordBytes,
  TOMBSTONE_TYPE,
} from './records.js';
import {
  KEEP_ALL,
  KEEP_LAST,
  type Retention,
  retentionOf,
  revivedMetadata,
  softDeletedMetadata,
} from './retention.js';

/** Where the first event of a fresh server stands. */
const FIRST_POSITION = 548;

/** Last revision and position of what was written, or of the append that was repeated; `ordinal` says when it is indexed. */
export interface Written {
  readonly revision: number;
  readonly position: number;
  readonly ordinal: number;
}

/** What became of an append, a delete or a tombstone. `actual` is the stream's last revision, -1 without a stream. */
export type Admission =
  | ({ readonly is: 'written' | 'repeat' } & Written)
  | { readonly is: 'repeat of one not indexed yet' }
  | { readonly is: 'wrong version'; readonly actual: number }
  | { readonly is: 'stream deleted' }
  | { readonly is: 'never answered' };

/** The events of a stream that may be read: revisions `first` to `last` (none when `first` is above `last`). */
export type StreamView =
  | {
      readonly is: 'there';
      readonly records: readonly LogRecord[];
      readonly first: number;
      readonly last: number;
    }
  | { readonly is: 'missing' }
  | { readonly is: 'deleted' };

interface Stream {
  readonly name: string;
  readonly records: LogRecord[];
  retention: Retention;
  tombstone: LogRecord | undefined;
}

/**
 * The log of one server, in memory. An append is written at once and becomes visible, all of it, when it is indexed a
 * turn of the event loop (or `indexDelayMs`) later: only then it is answered, read and delivered.
 */
export class EventLog {
  /** Time between writing and indexing; 0 is the next turn of the event loop. */
  indexDelayMs = 0;
  readonly #all: LogRecord[] = [];
  readonly #streams = new Map<string, Stream>();
  readonly #committed = new CommittedIds();
  readonly #listeners = new Set<() => void>();
  #answers: { readonly ordinal: number; readonly answer: () => void }[] = [];
  #indexed = 0;
  #tail = FIRST_POSITION;
  #scheduled = false;
  #frozen = false;
  #life = 0;

  constructor() {
    this.#write('$$$scavenges', [jsonProposal(randomUUID(), METADATA_TYPE, '{"$maxAge":2592000}')]);
    this.#indexed = this.#all.length;
  }

  /** Number of records that can be read: ordinals 0 to `indexed - 1`. */
  get indexed(): number {
    return this.#indexed;
  }

  /** Every record that was written after the server's own first one, as a backup would hold it. */
  written(): readonly LogRecord[] {
    return this.#all.slice(1);
  }

  /** Takes what another log had written, each record where it was. */
  restore(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#tail = record.position;
      this.#write(record.stream, [record]);
    }
    this.#indexed = this.#all.length;
  }

  /** The record at `ordinal`, if it is indexed. */
  at(ordinal: number): LogRecord | undefined {
    return ordinal < this.#indexed ? this.#all[ordinal] : undefined;
  }

  /** Ordinal of the record that starts at `position`, `'beyond'` behind the last one, `'between'` where none starts. */
  ordinalOf(position: number): number | 'beyond' | 'between' {
    if (position >= this.#tail) return 'beyond';
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#all[middle]?.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return this.#all[low]?.position === position ? low : 'between';
  }

  /** What of a stream may be read now. */
  view(name: string): StreamView {
    const stream = this.#streams.get(name);
    if (stream?.tombstone !== undefined && stream.tombstone.ordinal < this.#indexed) return { is: 'deleted' };
    if (stream === undefined || stream.retention.softDeleted) return { is: 'missing' };
    const { records, retention } = stream;
    let last = records.length - 1;
    while (last >= 0 && (records[last]?.ordinal ?? 0) >= this.#indexed) last -= 1;
    if (last < 0) return { is: 'missing' };
    let first = Math.max(retention.truncateBefore, last - retention.maxCount + 1, 0);
    const oldest = Date.now() - retention.maxAgeMs;
    while (first <= last && (records[first]?.createdMs ?? 0) < oldest) first += 1;
    return { is: 'there', records, first, last };
  }

  /** Appends `events`, all or nothing. */
  append(name: string, expected: Expected, events: readonly ProposedEvent[]): Admission {
    const stream = this.#stream(name);
    if (stream.tombstone !== undefined) return { is: 'stream deleted' };
    const { softDeleted } = stream.retention;
    const hasMetadata = (this.#streams.get(`$$${name}`)?.records.length ?? 0) > 0;
    const verdict = checkAppend(
      { name, records: stream.records, softDeleted, hasMetadata },
      expected,
      events.map((event) => event.id),
      this.#committed,
    );
    switch (verdict.is) {
      case 'new':
        return events.length === 0 ? this.#nothing(stream) : this.#appendNew(stream, events);
      case 'repeat':
        return this.#repeat(stream, verdict.last);
      case 'wrong version':
        return { is: 'wrong version', actual: stream.records.length - 1 };
      default:
        return verdict;
    }
  }

  /** Hides the stream's events; the next append revives it. */
  softDelete(name: string, expected: Expected): Admission {
    const stream = this.#stream(name);
    const refusal = this.#refuseDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    if (stream.records.length === 0) return { is: 'wrong version', actual: -1 };
    return this.#writeMetadata(name, softDeletedMetadata(stream.retention));
  }

  /** Ends the stream for good. */
  tombstone(name: string, expected: Expected): Admission {
    const stream = this.#stream(name);
    const refusal = this.#refuseDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    const event = {
      id: randomUUID(),
      type: TOMBSTONE_TYPE,
      contentType: 'application/octet-stream',
      data: new Uint8Array(),
      metadata: new Uint8Array(),
    };
    const record = this.#record('tombstone', name, stream.records.length, event);
    stream.tombstone = record;
    this.#tail += APPEND_BYTES;
    return this.#written(record);
  }

  /** Runs `answer` once the record at `ordinal` is indexed, unless the server stops before. */
  whenIndexed(ordinal: number, answer: () => void): void {
    if (ordinal < this.#indexed) answer();
    else this.#answers.push({ ordinal, answer });
  }

  /** Calls `listener` after each indexing. Returns the way to stop. */
  onIndexed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nothing is indexed between `freeze` and `thaw`. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.#index();
  }

  /** The server went down: what is written stays, what is in memory (answers, listeners, remembered ids) is gone. */
  restart(): void {
    this.#life += 1;
    this.#answers = [];
    this.#listeners.clear();
    this.#committed.clear();
    this.#scheduled = false;
    this.#frozen = false;
    this.#indexed = this.#all.length;
  }

  #stream(name: string): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const retention = name.startsWith('$$') ? KEEP_LAST : KEEP_ALL;
    const stream: Stream = { name, records: [], retention, tombstone: undefined };
    this.#streams.set(name, stream);
    return stream;
  }

  #appendNew(stream: Stream, events: readonly ProposedEvent[]): Admission {
    const wasDeleted = stream.retention.softDeleted;
    const first = stream.records.length;
    const admission = this.#write(stream.name, events);
    if (wasDeleted) this.#writeMetadata(stream.name, revivedMetadata(stream.retention, first));
    return admission;
  }

  #nothing(stream: Stream): Admission {
    const revision = Math.max(stream.records.length - 1, 0);
    return { is: 'written', revision, position: this.#tail, ordinal: -1 };
  }

  #repeat(stream: Stream, last: number): Admission {
    const record = stream.records[last];
    if (record === undefined || record.ordinal >= this.#indexed)
      return { is: 'repeat of one not indexed yet' };
    return { is: 'repeat', revision: last, position: record.position, ordinal: record.ordinal };
  }

  #refuseDelete(stream: Stream, expected: Expected): Admission | undefined {
    if (stream.tombstone !== undefined) return { is: 'stream deleted' };
    const actual = stream.records.length - 1;
    if (expected === 'any') return undefined;
    const fits =
      expected === 'stream_exists' ? actual >= 0 : (expected === 'no_stream' ? -1 : expected) === actual;
    return fits ? undefined : { is: 'wrong version', actual };
  }

  #writeMetadata(name: string, json: string): Admission {
    return this.#write(`$$${name}`, [jsonProposal(randomUUID(), METADATA_TYPE, json)]);
  }

  #write(name: string, events: readonly ProposedEvent[]): Admission {
    const stream = this.#stream(name);
    let last: LogRecord | undefined;
    for (const event of events) {
      last = this.#record('event', name, stream.records.length, event);
      stream.records.push(last);
      this.#committed.put(event.id, { stream: name, revision: last.revision });
      if (event.type === METADATA_TYPE && name.startsWith('$$')) {
        this.#stream(name.slice(2)).retention = retentionOf(event.data);
      }
    }
    if (last === undefined) throw new Error(`nothing to write to ${name}`);
    this.#tail += APPEND_BYTES;
    return this.#written(last);
  }

  #record(
    kind: LogRecord['kind'],
    stream: string,
    revision: number,
    { id, type, contentType, data, metadata }: ProposedEvent,
  ): LogRecord {
    const record: LogRecord = {
      kind,
      ordinal: this.#all.length,
      position: this.#tail,
      stream,
      revision,
      createdMs: Date.now(),
      id,
      type,
      contentType,
      data,
      metadata,
    };
    this.#all.push(record);
    this.#tail += recordBytes(stream, record);
    return record;
  }

  #written({ revision, position, ordinal }: LogRecord): Admission {
    this.#indexSoon();
    return { is: 'written', revision, position, ordinal };
  }

  #indexSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const life = this.#life;
    const index = () => {
      if (life !== this.#life) return;
      this.#scheduled = false;
      this.#index();
    };
    if (this.indexDelayMs === 0) setImmediate(index);
    else setTimeout(index, this.indexDelayMs).unref();
  }

  #index(): void {
    if (this.#frozen) return;
    this.#indexed = this.#all.length;
    const answers = this.#answers;
    this.#answers = [];
    for (const { answer } of answers) answer();
    for (const listener of this.#listeners) listener();
  }
}
