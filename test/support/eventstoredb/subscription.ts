import { randomUUID } from 'node:crypto';
import type { EventLog } from './log.js';
import { caughtUp, checkpoint, confirmation, encodeEvent } from './protocol.js';
import type { ReadCall, ReadFrame } from './read-call.js';
import type { LogRecord } from './records.js';
import type { SubscriptionSource } from './subscription-source.js';
import { consumerTooSlow, streamDeleted, type WireStatus } from './wire-status.js';

/** Live events that may wait for the writer, and as many more that the writer holds. One more and the client is dropped. */
const LIVE_BUFFER = 32;

/** Live records published, and frames written, per turn of the event loop: a burst outruns any consumer, steady traffic does not. */
const PUBLISHED_PER_TURN = 32;
const WRITTEN_PER_TURN = 24;

/**
 * One subscription: the past in pages as fast as the consumer takes it, `caughtUp`, then the present as it is indexed,
 * with a small buffer that drops the consumer when it overflows.
 */
export class Subscription {
  readonly #call: ReadCall;
  readonly #log: EventLog;
  readonly #source: SubscriptionSource;
  readonly #waiting: ReadFrame[] = [];
  #next: number;
  #looked = 0;
  #awaitsStream: boolean;
  #writable = true;
  #live = false;
  #turning = false;
  #silent = false;
  #over = false;
  #stopListening: () => void = () => undefined;

  constructor(call: ReadCall, log: EventLog, source: SubscriptionSource) {
    this.#call = call;
    this.#log = log;
    this.#source = source;
    this.#next = source.from;
    this.#awaitsStream = source.waitsForStream;
  }

  start(): void {
    this.#call.on('cancelled', () => this.#stop());
    this.#call.on('close', () => this.#stop());
    this.#write(confirmation(randomUUID()));
    this.#catchUp();
  }

  end(): void {
    if (this.#over) return;
    this.#stop();
    this.#call.end();
  }

  fail(status: WireStatus): void {
    if (this.#over) return;
    this.#stop();
    this.#call.emit('error', status);
  }

  silence(): void {
    this.#silent = true;
  }

  #stop(): void {
    this.#over = true;
    this.#stopListening();
  }

  #write(...frames: readonly ReadFrame[]): void {
    if (frames.length === 0) return;
    this.#writable = this.#call.write(frames);
    if (!this.#writable) this.#call.once('drain', () => this.#drained());
  }

  #drained(): void {
    this.#writable = true;
    this.#turnSoon();
  }

  /** Pages of the past, each a checkpoint when enough was looked at; the last, unfinished page leads into the present. */
  #catchUp(): void {
    while (!this.#over && !this.#silent) {
      if (!this.#writable) {
        this.#call.once('drain', () => this.#catchUp());
        return;
      }
      const page = this.#page();
      this.#write(...page.frames);
      if (page.endsLog) {
        this.#goLive();
        return;
      }
    }
  }

  /** The checkpoint of a page is its last match, or where it began (with prepare 0) when nothing in it matched. */
  #page(): { readonly frames: readonly ReadFrame[]; readonly endsLog: boolean } {
    const begin = this.#next === 0 ? 0 : (this.#log.at(this.#next)?.position ?? 0);
    const frames: ReadFrame[] = [];
    let lastMatch: LogRecord | undefined;
    const end = this.#next + this.#source.window;
    for (; this.#next < end && frames.length < LIVE_BUFFER; this.#next += 1) {
      const record = this.#log.at(this.#next);
      if (record === undefined) return { frames, endsLog: true };
      this.#looked += 1;
      if (!this.#source.wants(record)) continue;
      lastMatch = record;
      frames.push(this.#frame(record));
    }
    if (this.#checkpointIsDue())
      frames.push(checkpoint(lastMatch?.position ?? begin, lastMatch?.position ?? 0));
    return { frames, endsLog: false };
  }

  #goLive(): void {
    if (!this.#awaitsStream) this.#write(caughtUp());
    this.#live = true;
    this.#stopListening = this.#log.onIndexed(() => this.#turnSoon());
  }

  #turnSoon(): void {
    if (!this.#live || this.#turning || this.#over || this.#silent) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      this.#turn();
    });
  }

  /** One turn of live work: publish some, write some, come back while there is more of either. */
  #turn(): void {
    if (this.#over || this.#silent) return;
    for (let published = 0; published < PUBLISHED_PER_TURN; published += 1) {
      const record = this.#log.at(this.#next);
      if (record === undefined) break;
      this.#next += 1;
      if (!this.#publish(record)) return;
    }
    if (this.#writable) this.#write(...this.#waiting.splice(0, WRITTEN_PER_TURN));
    if (this.#log.at(this.#next) !== undefined || (this.#writable && this.#waiting.length > 0))
      this.#turnSoon();
  }

  /** False when the subscription is over with this record. */
  #publish(record: LogRecord): boolean {
    this.#looked += 1;
    if (this.#source.wants(record)) {
      this.#waiting.push(this.#frame(record));
      if (this.#awaitsStream) this.#waiting.push(caughtUp());
      this.#awaitsStream = false;
      if (record.kind === 'tombstone' && this.#source.checkpointEvery === undefined) {
        return this.#finishTombstoned(record);
      }
    }
    if (this.#checkpointIsDue()) this.#waiting.push(checkpoint(record.position, record.position));
    if (this.#waiting.length <= 2 * LIVE_BUFFER) return true;
    this.#failAfter(this.#waiting.slice(0, LIVE_BUFFER), consumerTooSlow());
    return false;
  }

  #finishTombstoned(record: LogRecord): boolean {
    this.#failAfter(this.#waiting, streamDeleted(record.stream));
    return false;
  }

  #failAfter(frames: readonly ReadFrame[], status: WireStatus): void {
    if (frames.length > 0) this.#call.write(frames);
    this.fail(status);
  }

  #checkpointIsDue(): boolean {
    const every = this.#source.checkpointEvery;
    if (every === undefined || this.#looked < every) return false;
    this.#looked %= every;
    return true;
  }

  #frame(record: LogRecord): ReadFrame {
    return encodeEvent(this.#log, record, this.#source.links);
  }
}
