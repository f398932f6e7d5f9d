import type { Difference } from '../../src/audit/tree/verify-log.js';
import { canonicalJson, sha256Hex } from '../../src/events/canonical-json.js';
import { eventId, GENESIS_HASH, hashInput } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';

type Log = readonly StoredEvent[];

/** What somebody who holds the store does to a log at a place. */
export interface Tampering {
  readonly what: string;
  /** What the first difference may be called. */
  readonly kinds: readonly Difference['kind'][];
  /** The log as it is then, in its order. @param at index of an event behind which there is one of another stream */
  readonly tamper: (log: Log, at: number) => Log;
}

const OTHER_ID = '9dddd3f5-9d66-4c3b-a780-ff1065c30129';

/** Single tamperings: what a store lets its owner change, and what a forger does who knows how chains are made. */
export const TAMPERINGS: readonly Tampering[] = [
  changing('data', withOtherData),
  changing('the spelling of data', (event) => ({ ...event, data: `${event.data} ` })),
  changing('metadata', (event) => withMetadata(event, { actor: 'somebody' })),
  changing('metadata that is none any more', (event) => ({ ...event, metadata: 'gone' })),
  changing('the type', (event) => ({ ...event, type: 'CustomerLinked' })),
  changing('the recording time', recordedLater),
  changing('the id', (event) => ({ ...event, id: OTHER_ID })),
  {
    what: 'the revision of it and of those behind it in its stream',
    kinds: ['changed'],
    tamper: (log, at) =>
      log.map((event, index) =>
        index >= at && event.stream === log[at]?.stream ? { ...event, revision: event.revision + 1 } : event,
      ),
  },
  { what: 'a deletion', kinds: ['missing'], tamper: without },
  {
    what: 'a deletion, with the chain recomputed',
    kinds: ['missing', 'changed'],
    tamper: (log, at) => rechained(without(log, at), log[at]?.stream),
  },
  {
    what: 'two neighbours exchanged',
    kinds: ['moved'],
    tamper: (log, at) => {
      const [first, second] = [log[at], log[at + 1]];
      if (first === undefined || second === undefined) throw new Error(`there are no two events at ${at}`);
      const exchanged = [
        { ...second, position: first.position },
        { ...first, position: second.position },
      ];
      return [...log.slice(0, at), ...exchanged, ...log.slice(at + 2)];
    },
  },
  { what: 'a truncation', kinds: ['missing'], tamper: (log, at) => log.slice(0, at) },
  {
    what: 'data, with the chain recomputed from there',
    kinds: ['changed'],
    tamper: (log, at) => rechained(changedAt(log, at, withOtherData), log[at]?.stream),
  },
  {
    what: 'the recording time, with the chain recomputed from there',
    kinds: ['changed'],
    tamper: (log, at) => rechained(changedAt(log, at, recordedLater), log[at]?.stream),
  },
  {
    what: 'an insertion, with a chain of its own',
    kinds: ['added'],
    tamper: (log, at) => {
      const positions = [...log.map(({ position }) => position), following(log.at(-1)?.position)];
      const stream = 'tenure.customer-cus_forged';
      const forged = log.slice(at, at + 1).map((event) => ({ ...event, stream, revision: 0 }));
      const longer = [...log.slice(0, at), ...forged, ...log.slice(at)];
      return rechained(longer, stream).map((event, index) => ({
        ...event,
        position: positions[index] ?? event.position,
      }));
    },
  },
];

function changing(what: string, change: (event: StoredEvent) => StoredEvent): Tampering {
  return { what, kinds: ['changed'], tamper: (log, at) => changedAt(log, at, change) };
}

function changedAt(log: Log, at: number, change: (event: StoredEvent) => StoredEvent): Log {
  return log.map((event, index) => (index === at ? change(event) : event));
}

function without(log: Log, at: number): Log {
  return log.filter((_, index) => index !== at);
}

function withOtherData(event: StoredEvent): StoredEvent {
  return { ...event, data: event.data.replace('"userId":"', '"userId":"not-') };
}

function withMetadata(event: StoredEvent, over: Readonly<Record<string, unknown>>): StoredEvent {
  return { ...event, metadata: canonicalJson({ ...JSON.parse(event.metadata), ...over }) };
}

function recordedLater(event: StoredEvent): StoredEvent {
  return withMetadata(event, { recordedAt: '2026-12-24T18:00:00.000Z' });
}

function following(position: string | undefined): string {
  return String(BigInt(position ?? '0') + 1n);
}

/** Revisions, hashes, links and ids of a stream as whoever wrote its events in this order would have made them. */
function rechained(log: Log, stream: string | undefined): Log {
  let end = { revision: -1, hash: GENESIS_HASH };
  return log.map((event) => {
    if (event.stream !== stream) return event;
    const revision = end.revision + 1;
    const { hash: _, ...metadata } = { ...JSON.parse(event.metadata), prevHash: end.hash };
    const { type, data } = event;
    const pieces = { stream, revision, prevHash: end.hash, type, data, metadata: canonicalJson(metadata) };
    const hash = sha256Hex(hashInput(pieces));
    end = { revision, hash };
    const id = eventId(metadata.stripeEventId ?? `${stream}@${revision}`, hash);
    return { ...event, revision, id, metadata: canonicalJson({ ...metadata, hash }) };
  });
}
