import { isDeepStrictEqual } from 'node:util';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { SealedColumn } from '../../auth/seal-anew.js';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import { inTransaction, type Statements } from '../../database/in-transaction.js';
import { GatheredLook } from '../gathered-look.js';
import { type Endpoint, newSecret } from './endpoint.js';
import { BULK_SOURCES, MESSAGE_TYPE_NAMES } from './message-types.js';

const endpointRow = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string(),
    // A type that a later release wrote is none of this one's.
    types: z
      .array(z.enum(MESSAGE_TYPE_NAMES).nullable().catch(null))
      .transform((types) => types.filter((type) => type !== null))
      .nullable(),
    bulk: z.array(z.enum(BULK_SOURCES)),
    state: z.enum(['active', 'paused']),
    created_at: z.date(),
    rotated_until: z.date().nullable(),
  })
  .transform(
    ({ created_at: createdAt, rotated_until: rotatedUntil, ...rest }): Endpoint => ({
      ...rest,
      createdAt,
      rotatedUntil,
    }),
  );
const sealedRow = z.object({ secret: z.string(), secret_before: z.string().nullable() });

/** An endpoint with its secrets as they are kept. */
interface SealedEndpoint {
  readonly endpoint: Endpoint;
  readonly sealed: z.infer<typeof sealedRow>;
}

const COLUMNS = 'id, url, description, types, bulk, state, created_at, rotated_until';

/** Where the secrets of endpoints are kept sealed. */
export const ENDPOINT_SECRETS: readonly SealedColumn[] = ['secret', 'secret_before'].map((column) => ({
  table: 'tenure.webhook_endpoint',
  key: 'id',
  column,
  purposeOf: (id) => id,
}));

/** How long a secret that was rotated signs beside the new one, in milliseconds. */
export const ROTATION_MS = 24 * 3_600_000;

/** What may be said of an endpoint; what is left out stays. */
export type EndpointChange = {
  readonly [Part in 'url' | 'description' | 'types' | 'bulk' | 'state']?: Endpoint[Part] | undefined;
};
export type NewEndpoint = Pick<Endpoint, 'id' | 'url' | 'description' | 'types' | 'bulk'> & {
  readonly createdBy: string;
};

export interface EndpointRepositoryOptions {
  readonly pool: Pool;
  readonly secrets: SealedSecrets;
  /** The clock by which events are recorded, Unix milliseconds. */
  readonly now: () => number;
}

/** An endpoint and the secrets that sign what it is sent, the newest first. */
export interface SigningEndpoint extends Endpoint {
  readonly secrets: readonly string[];
}

/** All endpoints, in the order in which they were made. */
export async function listEndpoints(database: Statements): Promise<readonly Endpoint[]> {
  const { rows } = await database.query(
    `select ${COLUMNS} from tenure.webhook_endpoint order by created_at, id`,
    [],
  );
  return z.array(endpointRow).parse(rows);
}

/** Endpoints in PostgreSQL. Secrets go in sealed and come out when something is signed, and once when they are made. */
export class EndpointRepository {
  readonly #signing: GatheredLook<SealedEndpoint>;

  constructor(private readonly options: EndpointRepositoryOptions) {
    this.#signing = new GatheredLook((ids) => readSealed(options.pool, ids));
  }

  list(): Promise<readonly Endpoint[]> {
    return listEndpoints(this.options.pool);
  }

  /** `null`: there is none of that id. */
  async find(id: string): Promise<Endpoint | null> {
    const { rows } = await this.options.pool.query(
      `select ${COLUMNS} from tenure.webhook_endpoint where id = $1`,
      [id],
    );
    return rows[0] === undefined ? null : endpointRow.parse(rows[0]);
  }

  /** Makes an endpoint; the secret is told here and by `rotate` alone. One of that id and these contents is found; `null`: of others. */
  async create(made: NewEndpoint): Promise<{ readonly endpoint: Endpoint; readonly secret: string } | null> {
    const { pool, secrets, now } = this.options;
    const { id, url, description, types, bulk, createdBy } = made;
    await pool.query(
      `insert into tenure.webhook_endpoint (id, url, description, types, bulk, state, secret, created_at, created_by)
       values ($1, $2, $3, $4, $5, 'active', $6, $7, $8) on conflict do nothing`,
      [id, url, description, types, bulk, secrets.seal(newSecret(), id), new Date(now()), createdBy],
    );
    const found = await this.findSigning(id);
    const [secret] = found?.secrets ?? [];
    if (found === null || secret === undefined) throw new Error('an endpoint was made and is not there');
    const { secrets: _, ...endpoint } = found;
    const isSame = isDeepStrictEqual(
      [endpoint.url, endpoint.description, endpoint.types, endpoint.bulk],
      [url, description, types, bulk],
    );
    return isSame ? { endpoint, secret } : null;
  }

  /** Changes what is said of an endpoint; `null`: there is none. */
  async change(id: string, change: EndpointChange): Promise<Endpoint | null> {
    const { url, description, types, bulk, state } = change;
    const { rows } = await this.options.pool.query(
      `update tenure.webhook_endpoint set url = coalesce($2, url), description = coalesce($3, description),
         types = case when $4 then $5 else types end, bulk = coalesce($6, bulk), state = coalesce($7, state)
       where id = $1 returning ${COLUMNS}`,
      [id, url ?? null, description ?? null, types !== undefined, types ?? null, bulk ?? null, state ?? null],
    );
    return rows[0] === undefined ? null : endpointRow.parse(rows[0]);
  }

  /** Pauses an endpoint, unless its URL is another by now. `false`: that, or it was paused or removed before. */
  async pauseAt({ id, url }: Pick<Endpoint, 'id' | 'url'>): Promise<boolean> {
    const { rowCount } = await this.options.pool.query(
      `update tenure.webhook_endpoint set state = 'paused' where id = $1 and url = $2 and state = 'active'`,
      [id, url],
    );
    return rowCount === 1;
  }

  /** Gives an endpoint a new secret; that of before signs beside it for 24 h. `null`: there is none. */
  async rotate(id: string): Promise<{ readonly endpoint: Endpoint; readonly secret: string } | null> {
    const { pool, secrets, now } = this.options;
    const secret = newSecret();
    const { rows } = await pool.query(
      `update tenure.webhook_endpoint set secret_before = secret, secret = $2, rotated_until = $3
       where id = $1 returning ${COLUMNS}`,
      [id, secrets.seal(secret, id), new Date(now() + ROTATION_MS)],
    );
    return rows[0] === undefined ? null : { endpoint: endpointRow.parse(rows[0]), secret };
  }

  /** Removes an endpoint with the messages that wait for it. `false`: there was none. */
  async remove(id: string): Promise<boolean> {
    return inTransaction(this.options.pool, async (client) => {
      const { rowCount } = await client.query('delete from tenure.webhook_endpoint where id = $1', [id]);
      await client.query(`delete from tenure.reaction_work where reaction = 'webhooks' and "group" = $1`, [
        id,
      ]);
      return rowCount === 1;
    });
  }

  /**
   * An endpoint with the secrets that sign now; of all that are asked for in one turn of the event loop by one statement. `null`:
   * there is none of that id. @throws SecretUnreadableError
   */
  async findSigning(id: string): Promise<SigningEndpoint | null> {
    const { secrets, now } = this.options;
    const found = await this.#signing.ask(id);
    if (found === null) return null;
    const { endpoint, sealed } = found;
    const { rotatedUntil } = endpoint;
    const isBeforeGood = rotatedUntil !== null && rotatedUntil.getTime() > now();
    const good = [sealed.secret, ...(isBeforeGood ? [sealed.secret_before] : [])];
    return {
      ...endpoint,
      secrets: good.filter((each) => each !== null).map((each) => secrets.open(each, id)),
    };
  }
}

async function readSealed(
  database: Statements,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SealedEndpoint>> {
  const { rows } = await database.query(
    `select ${COLUMNS}, secret, secret_before from tenure.webhook_endpoint where id = any ($1)`,
    [ids],
  );
  return new Map(
    rows.map((row) => {
      const endpoint = endpointRow.parse(row);
      return [endpoint.id, { endpoint, sealed: sealedRow.parse(row) }];
    }),
  );
}
