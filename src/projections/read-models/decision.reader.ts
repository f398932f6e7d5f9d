import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/in-transaction.js';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import type { Combination } from '../../policy/combine.js';
import { combinationAt } from '../../policy/combined.js';
import type { Served } from '../entitlements/snapshot.js';
import { readJudgedUser } from './judged-user.js';
import { LIVE } from './live-generation.js';
import { ReadModelNotReadyError, SERVED_COLUMNS, SERVED_FROM, servedRow, toServed } from './served-row.js';

/** What is decided of one user by, all of it as of one moment. */
export interface DecisionGround {
  readonly served: Served;
  /** The catalogue in force; the same object as long as it is the same one. */
  readonly catalog: PlanCatalog;
  /** What was reported last of each limit, by its key. */
  readonly usage: ReadonlyMap<string, number>;
  /** What all that the user has gives together; `null` where nothing was given or set by hand. */
  readonly combination: Combination | null;
}

export interface DecisionReaderOptions {
  readonly pool: Pool;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now: () => number;
}

interface Known {
  readonly key: string;
  readonly catalog: PlanCatalog;
}

const groundRow = z.tuple([
  servedRow.extend({
    catalog_key: z.string().nullable(),
    catalog_text: z.string().nullable(),
    by_hand: z.boolean(),
    usage: z.array(z.tuple([z.string(), z.number()])).nullable(),
  }),
]);

/** $1: the user, as a list of one; $2: the catalogue that is known, whose text is not sent again. */
const GROUND = {
  name: 'tenure-read-decision-ground',
  text: `select ${SERVED_COLUMNS}, k.key as catalog_key, k.text as catalog_text,
           exists (select from tenure.grant g where g.generation = ${LIVE} and g.user_id = q.user_id)
             or exists (select from tenure.override v where v.generation = ${LIVE} and v.user_id = q.user_id) as by_hand,
           (select json_agg(json_build_array(r.key, r.value)) from tenure.usage r
             where r.generation = ${LIVE} and r.user_id = q.user_id) as usage
         from ${SERVED_FROM}
         left join lateral (
           select p.generation || ':' || p.position || ':' || p.hash as key,
             case when p.generation || ':' || p.position || ':' || p.hash = $2 then null else p.catalog end as text
           from tenure.plan_catalog p where p.generation = ${LIVE} order by p.position desc limit 1) k on true`,
};

/** Reads what features are decided by: one statement, or one transaction of a user who has something by hand. */
export class DecisionReader {
  /** The catalogue that was read last: to parse it takes longer than all the rest. By its hash too, as another database may come in the place of this one. */
  #known: Known | null = null;

  constructor(private readonly options: DecisionReaderOptions) {}

  /** @throws ReadModelNotReadyError */
  async read(userId: string): Promise<DecisionGround> {
    const { pool } = this.options;
    const { isByHand, ground } = await this.#ground(pool, userId);
    if (!isByHand) return ground;
    return inTransaction(
      pool,
      (client) => this.#withCombination(client, userId),
      'repeatable read read only',
    );
  }

  async #withCombination(client: PoolClient, userId: string): Promise<DecisionGround> {
    const { ground } = await this.#ground(client, userId);
    const { facts, catalog } = await readJudgedUser(client, userId);
    return { ...ground, combination: combinationAt(facts, catalog, this.options.now()) };
  }

  async #ground(
    client: Pool | PoolClient,
    userId: string,
  ): Promise<{ readonly isByHand: boolean; readonly ground: DecisionGround }> {
    const known = this.#known;
    const { rows } = await client.query({ ...GROUND, values: [[userId], known?.key ?? null] });
    const [row] = groundRow.parse(rows);
    const served = toServed(row, this.options.now());
    const catalog = this.#catalogOf(row, known);
    const ground = { served, catalog, usage: new Map(row.usage), combination: null };
    return { isByHand: row.by_hand, ground };
  }

  /** `known` is what the statement was told of: another may have been read meanwhile. */
  #catalogOf(
    { catalog_key: key, catalog_text: text }: z.infer<typeof groundRow>[0],
    known: Known | null,
  ): PlanCatalog {
    if (key === null) throw new ReadModelNotReadyError();
    if (text === null && known !== null) return known.catalog;
    if (text === null) throw new Error('the database left out a catalogue that nobody has');
    this.#known = { key, catalog: planCatalogSchema.parse(JSON.parse(text)) };
    return this.#known.catalog;
  }
}
