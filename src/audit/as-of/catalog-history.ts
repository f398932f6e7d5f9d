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
  readonly #published = new Map<Position, PublishedInLog>();
  readonly #catalogs = new LRUCache<Position, PlanCatalog>({ max: KEPT });

  constructor(
    private readonly store: Pick<EventStore, 'read' | 'readPage'>,
    private readonly streamPrefix: string,
  ) {}

  /** The publications at these positions, in their order; what the log does not have any more is left out. */
  async publications(positions: readonly Position[]): Promise<readonly PublishedInLog[]> {
    if (positions.some((position) => !this.#published.has(position))) await this.#read();
    return positions.flatMap((position) => this.#published.get(position) ?? []);
  }

  async catalog({ position, revision }: PublishedInLog): Promise<PlanCatalog> {
    const known = this.#catalogs.get(position);
    if (known !== undefined) return known;
    const [stored] = await this.store.readPage(catalogStream(this.streamPrefix), revision, 1);
    const event = stored === undefined ? null : parseEvent(stored);
    if (event?.type !== 'PlanCatalogPublished') throw new Error(`no catalogue was published at ${position}`);
    this.#catalogs.set(position, event.data.catalog);
    return event.data.catalog;
  }

  /** Reads the stream from its beginning: positions of another log, from before a restore, mean nothing. */
  async #read(): Promise<void> {
    this.#published.clear();
    this.#catalogs.clear();
    for (const stored of await this.store.read(catalogStream(this.streamPrefix), 0)) {
      const { recordedAt } = eventMetadataSchema.parse(JSON.parse(stored.metadata));
      this.#published.set(stored.position, {
        position: stored.position,
        revision: stored.revision,
        recordedAt: Date.parse(recordedAt),
      });
    }
  }
}
