import { z } from 'zod';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { Queries } from './fact-queries.js';
import type { FoldingRules } from './folding-rules.js';

/** A catalogue that was published at `position`, and what users without a row may do by it. */
export interface PublishedCatalog {
  readonly position: string;
  readonly catalog: PlanCatalog;
  readonly byDefault: Entitlement;
}

const catalogRow = z.object({ position: z.string(), catalog: z.string() });

/** The catalogues of one generation: those that judge are kept in memory. */
export class Catalogs {
  readonly #known = new Map<string, PublishedCatalog>();
  #inForce: PublishedCatalog | null = null;
  #first: string | null = null;

  constructor(
    private readonly pool: Queries,
    private readonly generation: number,
    private readonly rules: FoldingRules,
  ) {}

  /** The one published last, once it is loaded; `null` before the first. */
  get inForce(): PublishedCatalog | null {
    return this.#inForce;
  }

  /** To be called before anything else. */
  async load(): Promise<void> {
    this.#inForce ??= await this.#find('order by c.position desc limit 1', []);
  }

  /** Takes one that is being published. */
  publish(position: string, catalog: PlanCatalog): PublishedCatalog {
    if (this.#inForce === null) this.#first = position;
    this.#inForce = this.#read(position, catalog);
    return this.#inForce;
  }

  /** Drops from memory all but the one in force and those at these positions. */
  keep(positions: readonly string[]): void {
    for (const position of this.#known.keys()) {
      if (position !== this.#inForce?.position && !positions.includes(position)) this.#known.delete(position);
    }
  }

  /** The one published at a position. */
  async at(position: string): Promise<PublishedCatalog> {
    const found = this.#known.get(position) ?? (await this.#find('and position = $2', [position]));
    if (found === null) throw new Error(`no catalogue was published at ${position}`);
    return found;
  }

  /** Whether none was published before it: users may be known then who were never judged. */
  async isFirst(position: string): Promise<boolean> {
    this.#first ??= (await this.#find('order by c.position limit 1', []))?.position ?? position;
    return this.#first === position;
  }

  forget(): void {
    this.#known.clear();
    this.#inForce = null;
    this.#first = null;
  }

  async #find(which: string, values: readonly unknown[]): Promise<PublishedCatalog | null> {
    const found = await this.pool.query(
      `select position::text, catalog from tenure.plan_catalog c where generation = $1 ${which}`,
      [this.generation, ...values],
    );
    const [row] = z.array(catalogRow).parse(found.rows);
    return row === undefined
      ? null
      : this.#read(row.position, planCatalogSchema.parse(JSON.parse(row.catalog)));
  }

  #read(position: string, catalog: PlanCatalog): PublishedCatalog {
    // The default plan does not depend on time: nothing of it ends.
    const byDefault = this.rules.judge({ subscriptions: [] }, catalog, 0).entitlement;
    const read = { position, catalog, byDefault };
    this.#known.set(position, read);
    return read;
  }
}
