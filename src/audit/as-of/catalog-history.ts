import { LRUCache } from 'lru-cache';
import type { EventStore } from '../../event-store/event-store.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { parseEvent } from '../../events/event-envelope.js';
import { eventMetadataSchema } from '../../events/metadata.js';
import type { Position } from '../../events/stored-event.js';
import { catalogStream } from '../../events/stream-names.js';

/** A published catalogue as the log has it; `recordedAt` is Unix ms. */
export interface PublishedInLog {
  readonly position: Position;
  readonly revision: number;
  readonly recordedAt: number;
}

/** Catalogues that are kept in memory. */
const KEPT = 20;

/** Every catalogue that was published, read from the log once: what it says never changes. */
export class CatalogHistory {
  #published: ReadonlyMap<Position, PublishedInLog> = new Map();
  #catalogs = new LRUCache<Position, PlanCatalog>({ max: KEPT });

  constructor(
    private readonly store: Pick<EventStore, 'read' | 'readPage'>,
    private readonly streamPrefix: string,
  ) {}

  /** The publications at these positions, in their order; what the log does not have any more is left out. */
  async publications(positions: readonly Position[]): Promise<readonly PublishedInLog[]> {
    const areKnown = positions.every((position) => this.#published.has(position));
    const published = areKnown ? this.#published : await this.#read();
    return positions.flatMap((position) => published.get(position) ?? []);
  }

  async catalog({ position, revision }: PublishedInLog): Promise<PlanCatalog> {
    const catalogs = this.#catalogs; // what is read is kept with those of this log, and no other
    const known = catalogs.get(position);
    if (known !== undefined) return known;
    const [stored] = await this.store.readPage(catalogStream(this.streamPrefix), revision, 1);
    const event = stored === undefined ? null : parseEvent(stored);
    if (event?.type !== 'PlanCatalogPublished') throw new Error(`no catalogue was published at ${position}`);
    catalogs.set(position, event.data.catalog);
    return event.data.catalog;
  }

  /** Reads the stream from its beginning: positions of another log, from before a restore, mean nothing. */
  async #read(): Promise<ReadonlyMap<Position, PublishedInLog>> {
    const published = new Map<Position, PublishedInLog>();
    for (const { position, revision, metadata } of await this.store.read(
      catalogStream(this.streamPrefix),
      0,
    )) {
      const { recordedAt } = eventMetadataSchema.parse(JSON.parse(metadata));
      published.set(position, { position, revision, recordedAt: Date.parse(recordedAt) });
    }
    this.#published = published;
    this.#catalogs = new LRUCache({ max: KEPT });
    return published;
  }
}
