import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/in-transaction.js';
import { newPseudonym } from './pseudonym.js';

/** A user id and its pseudonym. Stripe objects created before `claimsFrom` (Unix seconds) claim nothing for this user. */
export interface Pair {
  readonly userId: string;
  readonly pseudonym: string;
  readonly claimsFrom: number;
}

/** A user id that is to have a pseudonym, and its keyed hash. */
export interface Wanted {
  readonly userId: string;
  readonly hash: string;
}

/** What an id has: a pair, or none because its user is erased. */
export type Found = Pair | { readonly userId: string; readonly erased: true };

/** An erasure as the log has it; times are in Unix milliseconds. */
export interface LoggedErasure {
  readonly hash: string;
  readonly erasedAt: number;
  readonly readmittedAt: number | null;
}

/** Seconds by which Stripe's clock may be behind the database's: what was made after a readmission still counts. */
const CLOCKS_APART_SECONDS = 30;

/** "tnpn": shared by who makes pairs, alone for who erases, so that no pair is made of an id while it is erased. */
const PAIRS_LOCK = '1953394798, 1';

const PAIR = 'user_id as "userId", pseudonym, claims_from::int8::text as "claimsFrom"';
const pairRows = z.array(
  z.object({ userId: z.string(), pseudonym: z.string(), claimsFrom: z.coerce.number() }),
);
const hashRows = z.array(z.object({ hash: z.string() }));

/** User ids and their pseudonyms in PostgreSQL, one truth for all instances (DESIGN 4, "Pseudonyms"). */
export class PairsRepository {
  constructor(private readonly pool: Pool) {}

  /** The pairs of these ids that there are. */
  async find(userIds: readonly string[]): Promise<readonly Pair[]> {
    const { rows } = await this.pool.query({
      name: 'tenure-find-pseudonyms',
      text: `select ${PAIR} from tenure.pseudonym where user_id = any($1)`,
      values: [userIds],
    });
    return pairRows.parse(rows);
  }

  /** The pairs of these pseudonyms that there are: of an erased user there is none. */
  async findByPseudonym(pseudonyms: readonly string[]): Promise<readonly Pair[]> {
    const { rows } = await this.pool.query({
      name: 'tenure-find-user-ids',
      text: `select ${PAIR} from tenure.pseudonym where pseudonym = any($1) and user_id is not null`,
      values: [pseudonyms],
    });
    return pairRows.parse(rows);
  }

  /** What each of these ids has; who has no pair and is not erased gets one, the same whoever else asks at the same time. */
  async findOrMake(wanted: readonly Wanted[]): Promise<readonly Found[]> {
    return inTransaction(this.pool, async (client) => {
      await client.query(`select pg_advisory_xact_lock_shared(${PAIRS_LOCK})`);
      await client.query(
        `insert into tenure.pseudonym (pseudonym, user_id, since, claims_from)
         select w.pseudonym, w.user_id, greatest(now(), e.erased_at + interval '1 ms'), ${claimsFrom('e')}
         from unnest($1::text[], $2::text[], $3::text[]) as w(user_id, hash, pseudonym)
         left join tenure.erased_user e on e.hash = w.hash
         where e.hash is null or e.readmitted_at is not null
         order by w.user_id
         on conflict (user_id) do nothing`,
        [wanted.map(({ userId }) => userId), wanted.map(({ hash }) => hash), wanted.map(newPseudonym)],
      );
      const { rows } = await client.query(`select ${PAIR} from tenure.pseudonym where user_id = any($1)`, [
        wanted.map(({ userId }) => userId),
      ]);
      const pairs = new Map(pairRows.parse(rows).map((pair) => [pair.userId, pair]));
      return wanted.map(({ userId }) => pairs.get(userId) ?? { userId, erased: true });
    });
  }

  /** The number of erasures so far: where it is another one than before, what is kept in memory may be outdated. */
  async erasures(): Promise<string> {
    const { rows } = await this.pool.query({
      name: 'tenure-pseudonym-erasures',
      text: 'select coalesce(sum(erasures), 0)::text as number from tenure.pseudonym_key',
    });
    return z.tuple([z.object({ number: z.string() })]).parse(rows)[0].number;
  }

  /** When the pair of this id was made, Unix milliseconds; `null` where there is none. */
  async since(userId: string): Promise<number | null> {
    const { rows } = await this.pool.query(`select since from tenure.pseudonym where user_id = $1`, [userId]);
    return (
      z
        .array(z.object({ since: z.date() }))
        .parse(rows)[0]
        ?.since.getTime() ?? null
    );
  }

  /** Drops the pair of an erased id; its pseudonym, `null` where it had none. */
  erase({ userId, hash }: Wanted, erasedAt: number): Promise<string | null> {
    return this.#alone(async (client) => {
      await noteErasures(client, [{ hash, erasedAt, readmittedAt: null }]);
      const { rows } = await client.query(
        'update tenure.pseudonym set user_id = null where user_id = $1 returning pseudonym',
        [userId],
      );
      return z.array(z.object({ pseudonym: z.string() })).parse(rows)[0]?.pseudonym ?? null;
    });
  }

  /** Lets an erased id have a pair again. */
  readmit(hash: string, readmittedAt: number): Promise<void> {
    return this.#alone(async (client) => {
      await client.query(
        `update tenure.erased_user set readmitted_at = greatest($2, erased_at) where hash = $1 and readmitted_at is null`,
        [hash, new Date(readmittedAt)],
      );
    });
  }

  /**
   * Brings the pairs to what the log says: drops every one from before the last erasure of its id. How many those were.
   * @param hashOf the keyed hash of an id
   */
  follow(erasures: readonly LoggedErasure[], hashOf: (userId: string) => string): Promise<number> {
    if (erasures.length === 0) return Promise.resolve(0);
    return this.#alone(async (client) => {
      const last = await notDoneYet(client, erasures);
      await noteErasures(client, erasures);
      if (last.size === 0) return 0;
      let dropped = 0;
      for (let after = ''; ; ) {
        const page = await pairsAfter(client, after);
        const gone = page.filter(({ userId, since }) => {
          const erasure = last.get(hashOf(userId));
          return erasure !== undefined && since.getTime() <= erasure.erasedAt;
        });
        await client.query('update tenure.pseudonym set user_id = null where pseudonym = any($1)', [
          gone.map(({ pseudonym }) => pseudonym),
        ]);
        dropped += gone.length;
        if (page.length < PAGE) return dropped;
        after = page.at(-1)?.pseudonym ?? '';
      }
    });
  }

  /** Which of these hashes are of users who are erased now. */
  async erasedAmong(hashes: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.pool.query(
      'select hash from tenure.erased_user where hash = any($1) and readmitted_at is null',
      [hashes],
    );
    return hashRows.parse(rows).map(({ hash }) => hash);
  }

  /** Counts that Stripe claimed these objects, by id, for users who are erased. */
  async noteErasedClaims(objects: readonly string[]): Promise<void> {
    await this.pool.query(
      `insert into tenure.erased_claim as c (object, times, first_at, last_at)
       select object, count(*), now(), now() from unnest($1::text[]) as o(object) group by object order by object
       on conflict (object) do update set times = c.times + excluded.times, last_at = excluded.last_at`,
      [objects],
    );
  }

  /** Changes what others have in memory of pairs: alone, and told by the number of erasures. */
  #alone<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return inTransaction(this.pool, async (client) => {
      await client.query(`select pg_advisory_xact_lock(${PAIRS_LOCK})`);
      const done = await work(client);
      await client.query('update tenure.pseudonym_key set erasures = erasures + 1');
      return done;
    });
  }
}

/** Pairs read at once. */
const PAGE = 1_000;

async function pairsAfter(client: PoolClient, after: string) {
  const { rows } = await client.query(
    `select pseudonym, user_id as "userId", since from tenure.pseudonym
     where pseudonym > $1 and user_id is not null order by pseudonym limit $2`,
    [after, PAGE],
  );
  return z.array(z.object({ pseudonym: z.string(), userId: z.string(), since: z.date() })).parse(rows);
}

/** Those that this database has not done, by hash: what it notes of an erasure and the drop of the pair are one step. */
async function notDoneYet(
  client: PoolClient,
  erasures: readonly LoggedErasure[],
): Promise<ReadonlyMap<string, LoggedErasure>> {
  const { rows } = await client.query('select hash, erased_at as "erasedAt" from tenure.erased_user');
  const done = new Map(
    z
      .array(z.object({ hash: z.string(), erasedAt: z.date() }))
      .parse(rows)
      .map(({ hash, erasedAt }) => [hash, erasedAt.getTime()]),
  );
  return new Map(
    erasures
      .filter(({ hash, erasedAt }) => done.get(hash) !== erasedAt)
      .map((erasure) => [erasure.hash, erasure]),
  );
}

async function noteErasures(client: PoolClient, erasures: readonly LoggedErasure[]): Promise<void> {
  await client.query(
    `insert into tenure.erased_user (hash, erased_at, readmitted_at)
     select * from unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
     on conflict (hash) do update set erased_at = excluded.erased_at, readmitted_at = excluded.readmitted_at`,
    [
      erasures.map(({ hash }) => hash),
      erasures.map(({ erasedAt }) => new Date(erasedAt)),
      erasures.map(({ readmittedAt }) => (readmittedAt === null ? null : new Date(readmittedAt))),
    ],
  );
}

/** The second (Unix) from which on Stripe objects claim for who was taken in again, 0 of who never was erased. */
function claimsFrom(erased: string): string {
  return `coalesce(floor(extract(epoch from greatest(${erased}.erased_at + interval '1 s',
    ${erased}.readmitted_at - interval '${CLOCKS_APART_SECONDS} s'))), 0)`;
}
