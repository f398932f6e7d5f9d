import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';

/** A raise of a user's version. `sequence` is its place in the feed, a decimal string. */
export interface RevocationLine {
  readonly sequence: string;
  readonly userId: string;
  readonly version: number;
}

/**
 * Lines of the feed after a place. `head` is the last place given out, `dropped` the last one whose line is gone; the places
 * are those of `epoch`, and stand for nothing in another one.
 */
export interface RevocationPage {
  readonly epoch: string;
  readonly head: bigint;
  readonly dropped: bigint;
  readonly lines: readonly RevocationLine[];
}

const NEW_EPOCH = `left(replace(gen_random_uuid()::text, '-', ''), 16)`;

/** The server and its timeline: another one after a failover, or a restore to a point in time. */
const SERVER = `(select system_identifier::text from pg_control_system()) || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8)`;

const READ = {
  name: 'tenure-read-revocations',
  text: `select h.epoch, h.cursor::text as head, h.dropped::text, h.server is not distinct from s.server as "isKnownServer",
           f.cursor::text as sequence, f.user_id as "userId", f.version
         from tenure.revocation_feed_head h cross join (select ${SERVER} as server) s
         left join lateral (
           select cursor, user_id, version from tenure.revocation_feed
           where cursor > greatest($1::bigint, h.dropped) order by cursor limit $2
         ) f on true
         order by f.cursor`,
};

const row = z.object({
  epoch: z.string(),
  head: z.string().transform(BigInt),
  dropped: z.string().transform(BigInt),
  isKnownServer: z.boolean(),
  sequence: z.string().nullable(),
  userId: z.string().nullable(),
  version: z.number().nullable(),
});
const rows = z.tuple([row], row);

/** Lines that are removed at once. */
const DROPPED_AT_ONCE = 10_000;

/**
 * The revocation feed (DESIGN 9): one order of places, which commits never leave gaps in. A place that was given out may be
 * given out again for something else where commits were lost; then the epoch becomes another one.
 */
export class RevocationFeedReader {
  /** The farthest head that was read, and its epoch. */
  #seen: { readonly epoch: string; readonly head: bigint } | null = null;
  #isLost = false;

  constructor(private readonly pool: Pool) {}

  /** Commits that were confirmed are gone: the epoch becomes another one before the next page is told. */
  lostCommits(): void {
    this.#isLost = true;
  }

  /** At most `limit` lines after a place, oldest first, as of one moment. Rejects with what the driver says. */
  async page(after: bigint, limit: number): Promise<RevocationPage> {
    for (;;) {
      const { isKnownServer, ...page } = await this.#read(after, limit);
      const seen = this.#seen?.epoch === page.epoch ? this.#seen : null;
      // Answers may overtake each other: what is earlier than another one is asked for again before anything is made of it.
      const wentBack =
        seen !== null && page.head < seen.head && (await this.#read(after, 0)).head < seen.head;
      if (!isKnownServer || wentBack || (this.#isLost && this.#seen !== null)) {
        const known = this.#seen?.epoch ?? page.epoch;
        this.#isLost = false;
        await this.#renew(known, isKnownServer);
        this.#seen = null;
        continue;
      }
      if (seen === null || page.head > seen.head) this.#seen = { epoch: page.epoch, head: page.head };
      return page;
    }
  }

  /** Drops lines that were written before an instant (Unix ms): no token lives so long. Returns how many. */
  async dropBefore(instant: number): Promise<number> {
    // A reader is told first: from then on it reads none of the lines, whether they are there or not.
    const { rowCount } = await this.pool.query(
      `update tenure.revocation_feed_head h set dropped = old.cursor
       from (select max(cursor) as cursor from tenure.revocation_feed where written_at < $1) old
       where old.cursor > h.dropped`,
      [new Date(instant).toISOString()],
    );
    if (rowCount === 0) return 0;
    let dropped = 0;
    for (;;) {
      const gone = await this.pool.query(
        `delete from tenure.revocation_feed where cursor in (
           select f.cursor from tenure.revocation_feed f join tenure.revocation_feed_head h on f.cursor <= h.dropped
           order by f.cursor limit $1)`,
        [DROPPED_AT_ONCE],
      );
      dropped += gone.rowCount ?? 0;
      if ((gone.rowCount ?? 0) < DROPPED_AT_ONCE) return dropped;
    }
  }

  async #read(after: bigint, limit: number): Promise<RevocationPage & { readonly isKnownServer: boolean }> {
    const found = await this.pool.query({ ...READ, values: [String(after), limit] });
    const all = rows.parse(found.rows);
    const [{ epoch, head, dropped, isKnownServer }] = all;
    const lines = all.flatMap(({ sequence, userId, version }) =>
      sequence === null || userId === null || version === null ? [] : [{ sequence, userId, version }],
    );
    return { epoch, head, dropped, isKnownServer, lines };
  }

  /** Gives the feed another epoch unless somebody has done so; one that was never read only notes its server. */
  async #renew(epoch: string, isKnownServer: boolean): Promise<void> {
    const onServer = `server = ${SERVER}`;
    const noted = isKnownServer
      ? 0
      : ((await this.pool.query(`update tenure.revocation_feed_head set ${onServer} where server is null`))
          .rowCount ?? 0);
    if (noted > 0) return;
    await this.pool.query(
      `update tenure.revocation_feed_head set epoch = ${NEW_EPOCH}, ${onServer} where epoch = $1`,
      [epoch],
    );
  }
}

/** Gives the feed another epoch, in a transaction after which its places stand for something else. */
export async function renewFeedEpoch(client: PoolClient): Promise<void> {
  await client.query(`update tenure.revocation_feed_head set epoch = ${NEW_EPOCH}, server = null`);
}
