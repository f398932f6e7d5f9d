import { eventText } from '../http/event-stream.js';
import type { Served } from '../projections/entitlements/snapshot.js';

/** What a stream of a user tells: the first of it, that the version differs, that something else does (DESIGN 10). */
export type SnapshotEvent = 'snapshot' | 'change' | 'update';

/** What a client had when its stream broke off, as the ids of events say it. */
export interface LastSeen {
  readonly position: string;
  readonly version: number;
  readonly etag: string;
}

const ID = /^(\d{1,18})\.(\d{1,10})\.([\w-]{1,64})$/;

/** What a `Last-Event-ID` says; `null` where it is none of ours, which counts as none at all. */
export function parseEventId(id: string | undefined): LastSeen | null {
  const [, position, version, tag] = ID.exec(id ?? '') ?? [];
  if (position === undefined || version === undefined || tag === undefined) return null;
  return { position, version: Number(version), etag: `"${tag}"` };
}

/** A snapshot that is told to all who listen: each of its events is made into a text once. */
export class ToldSnapshot {
  readonly #texts = new Map<SnapshotEvent, string>();

  constructor(readonly served: Served) {}

  /** The event for a client that has `seen`. `null`: nothing new. */
  eventAfter(seen: Pick<LastSeen, 'version' | 'etag'>): SnapshotEvent | null {
    const { etag, snapshot } = this.served;
    if (etag === seen.etag) return null;
    return snapshot.revocationVersion === seen.version ? 'update' : 'change';
  }

  /** What a client comes again with, for `parseEventId`. */
  get id(): string {
    const { etag, position, snapshot } = this.served;
    return `${position}.${snapshot.revocationVersion}.${etag.slice(1, -1)}`;
  }

  /** The event as it is sent: the snapshot as `GET` gives it, with its `etag`; the id says position, version and ETag. */
  text(event: SnapshotEvent): string {
    const known = this.#texts.get(event);
    if (known !== undefined) return known;
    const { body, etag } = this.served;
    const data = `${body.slice(0, -1)},"etag":${JSON.stringify(etag)}}`;
    const text = eventText(event, data, this.id);
    this.#texts.set(event, text);
    return text;
  }
}
